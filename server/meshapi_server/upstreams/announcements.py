"""Callbacks of upstreams: checked as far as their protocol allows, answered as they want, never believed."""

from collections.abc import Mapping
from typing import Protocol

import structlog
from msgspec import Struct

from .adapter import Announcement, Forged, Heard
from .callback_urls import CallbackURLs

log = structlog.get_logger("meshapi.upstream")


class Listener(Protocol):
    """An upstream that sends callbacks."""

    async def hear(self, announcement: Announcement) -> Heard:
        """Verify and read a callback. Raises Forged, or another exception when it cannot be told."""
        ...


class Noted(Struct, frozen=True):
    """The answer that the upstream wants."""

    status: int = 200
    body: bytes = b"{}"
    media_type: str = "application/json"


class Announcements:
    """Takes callbacks under URLs that this server made."""

    def __init__(self, urls: CallbackURLs, listeners: Mapping[str, Listener]) -> None:
        self._urls = urls
        self._listeners = listeners

    def genuine(self, upstream: str, task_id: str, signature: str) -> bool:
        """Whether the URL is one of ours."""
        return self._urls.allows(upstream, task_id, signature)

    async def receive(self, upstream: str, announcement: Announcement) -> Noted | None:
        """The answer; the task may be looked at. None: it was forged, and nothing is to be done.

        What cannot be read still wakes: the URL was ours, and to look once more costs nothing.
        """
        listener = self._listeners.get(upstream)
        if listener is None:
            return Noted()
        try:
            heard = await listener.hear(announcement)
        except Forged as forged:
            log.warning("forged callback", upstream=upstream, reason=str(forged))
            return None
        except Exception as fault:  # noqa: BLE001 - whatever it is, it must not fail towards the upstream
            log.warning("callback not understood", upstream=upstream, fault=type(fault).__name__)
            return Noted()
        return Noted(heard.status, heard.body or b"{}", heard.media_type)
