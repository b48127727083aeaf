# Generated from _async/usage.py by generate_sync.py; edit that file, not this one.
"""``client.usage``: what the keys of this one's owner have used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

from meshapi import _decoding
from meshapi._calls import Calls, RequestOptions

from .driver import Driver

if TYPE_CHECKING:
    from meshapi._usage import Day
    from meshapi.types import UsageReport

    from .raw import RawUsage


class Usage:
    """What was spent, is held and is in doubt."""

    def __init__(self, calls: Calls, driver: Driver) -> None:
        self._calls = calls
        self._driver = driver

    @property
    def with_raw_response(self) -> RawUsage:
        """The same call with the HTTP answer around the result: ``status``, ``headers``, ``parse()``."""
        from .raw import RawUsage

        return RawUsage(self._calls, self._driver)

    def get(
        self,
        *,
        from_: Day | None = None,
        to: Day | None = None,
        by: str | Sequence[str] | None = None,
        **options: Unpack[RequestOptions],
    ) -> UsageReport:
        """The sums of the tasks created from a day to a day, both included: ``GET /v1/usage``.

        Days are dates, ISO 8601 text (``"2026-11-21"``) or datetimes with a zone, and count in UTC; the
        server's default is the last 30, and it takes at most 366. ``by`` is what to tell apart: ``"day"``,
        ``"key"``, ``"model"``, or several; without it, all three. Raises ConfigurationError for what is no
        day, and UnprocessableEntityError for days or dimensions that the server refuses.
        """
        return _decoding.usage(self._driver.run(self._calls.usage(from_, to, by, options)))
