"""A video of PixVerse's in our terms. Its status is a number."""

from collections.abc import Mapping
from typing import Any

from meshapi_server.upstreams.adapter import Facts, Progress
from meshapi_server.upstreams.refusals import Fault, Kind, Said

_DONE, _WAITS = "1", "2"
_ENDS: dict[str, tuple[Kind, str]] = {
    "6": ("lost", "the video was deleted"),
    "7": ("moderated", "blocked by moderation"),  # whether for the request or the video is not told
    "8": ("broken", "the generation failed"),
}


def progress_of(video: Mapping[str, Any]) -> Progress:
    """Where a video stands. Sources differ in the numbers of what runs, and there may be more: it runs."""
    status = str(video.get("status"))
    if status in _ENDS:
        kind, words = _ENDS[status]
        said = Said(message=words, code=status, body={"id": video.get("id"), "status": video.get("status")})
        return Fault(kind=kind, said=said, charged="unknown").progress()
    if status == _DONE:
        return Progress(state="succeeded")
    return Progress(state="queued" if status == _WAITS else "running")


def url_of(video: Mapping[str, Any]) -> str | None:
    """Where the video is."""
    url = video.get("url")
    return url if isinstance(url, str) and url else None


def facts_of(video: Mapping[str, Any]) -> Facts:
    """What PixVerse tells of it."""
    return Facts(
        seed=_whole(video.get("seed")),
        width=_whole(video.get("outputWidth")) or None,
        height=_whole(video.get("outputHeight")) or None,
    )


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
