"""An answer as it came, beside what it means: what ``with_raw_response`` returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ._exchange import Answer

Result = TypeVar("Result", covariant=True)


@dataclass(frozen=True, slots=True)
class RawResponse(Generic[Result]):
    """The answer of a call that succeeded.

    ``status`` is the HTTP status, ``headers`` are looked up by lower-case names, ``body`` is what came.
    ``parse()`` gives what the method itself would have returned. Refusals raise as they always do.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    _decode: Callable[[Answer], Result] = field(repr=False, compare=False)

    @property
    def request_id(self) -> str | None:
        """The name of the request in the server's logs."""
        return self.headers.get("x-request-id")

    def parse(self) -> Result:
        """The value. Raises ResponseDecodingError when the body is something else."""
        return self._decode(Answer(self.status, self.headers, self.body))


def raw(answer: Answer, decode: Callable[[Answer], Result]) -> RawResponse[Result]:
    """The answer, with what reads it."""
    return RawResponse(answer.status, answer.headers, answer.body, decode)
