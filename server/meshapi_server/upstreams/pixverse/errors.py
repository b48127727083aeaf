"""PixVerse's errors: a number and a sentence, also in answers whose HTTP status is 200.

Only some numbers are told anywhere, so the words are looked at, too.
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from meshapi_server.upstreams.adapter import HttpResponse, Unreadable
from meshapi_server.upstreams.http import retry_after
from meshapi_server.upstreams.refusals import Errors, Fault, Kind, Said

_NUMBERS: dict[str, Kind] = {
    **dict.fromkeys(("10001", "10002", "10003", "10004", "10005", "400012"), "auth"),
    "400011": "invalid",
    "400017": "invalid",
    "500044": "rate",
    "500054": "moderated_input",
    "500063": "moderated_input",
    "500090": "funds",
}
_WORDS: tuple[tuple[str, Kind], ...] = (
    ("concurren", "rate"),
    ("too many", "rate"),
    ("balance", "funds"),
    ("credit", "funds"),
    ("moderat", "moderated_input"),
    ("sensitive", "moderated_input"),
    ("illegal", "moderated_input"),
)
_UNKNOWN_VIDEO = ("not found", "not exist", "no such")


class _Refusals(Errors, frozen=True):
    """The number decides, then the words, then the HTTP status.

    A number of which nothing is known was still said by PixVerse itself: 400… blames the request, and any
    other one ends it without telling whether it was charged.
    """

    def fault(self, response: HttpResponse) -> Fault:
        """What an error answer means."""
        said = _said(response)
        if said is None:
            return super().fault(response)
        kind = self.kind(said)
        if kind is not None:
            return Fault(kind=kind, said=said, charged="no", wait=retry_after(response))
        if not response.ok:
            return replace(super().fault(response), said=said)
        if said.code is not None and said.code.startswith("400"):
            return Fault(kind="invalid", said=said, charged="no")
        return Fault(kind="broken", said=said, charged="unknown")


REFUSALS = _Refusals(codes=_NUMBERS, words=_WORDS, charged="no")


def refuses(response: HttpResponse) -> bool:
    """Whether an answer is an error, by its status or by its number."""
    return not response.ok or _said(response) is not None


def unknown_video(response: HttpResponse) -> bool:
    """Whether an answer to a look says that there is no such video."""
    if response.status == 404:
        return True
    said = _said(response)
    words = said.message.lower() if said is not None else ""
    return "video" in words and any(each in words for each in _UNKNOWN_VIDEO)


def payload(response: HttpResponse) -> Mapping[str, Any]:
    """What a good answer holds. Raises Unreadable."""
    held = response.object().get("Resp")
    if not isinstance(held, dict):
        raise Unreadable("an answer without Resp")
    return held


def _said(response: HttpResponse) -> Said | None:
    """The number and the sentence; None for an answer that has no number, or 0."""
    try:
        answer = response.object()
    except Unreadable:
        return None
    number, words = answer.get("ErrCode"), answer.get("ErrMsg")
    if isinstance(number, bool) or not isinstance(number, (int, str)) or str(number) in {"0", ""}:
        return None
    return Said(message=words if isinstance(words, str) else "", code=str(number), body=answer)
