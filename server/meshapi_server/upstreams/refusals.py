"""From an upstream's many ways to say no to the few that the engine knows. Pure.

An adapter states its codes once as :class:`Errors`; the rest follows from the HTTP status. Three questions
decide: was anything taken (else another try costs nothing)? will waiting help? is it the request's own fault?
"""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from meshapi_server.tasks.task import Charged, ErrorCode, ModerationStage

from .contract import Deferred, Look, Progress, Rejected, TaskError, Unserved
from .http import HttpResponse, Unreadable, retry_after

Kind = Literal[
    "moderated_input",  # refused for what was asked
    "moderated_output",  # made, and withheld
    "moderated",  # one of these two; the upstream does not tell which
    "invalid",  # the request's own fault
    "auth",
    "funds",
    "model_gone",
    "rate",  # too many calls or tasks: the whole upstream pauses
    "overload",  # busy, and certain that nothing was taken: the whole upstream pauses
    "later",  # not now, for this task alone
    "misdirected",  # a redirect: the base URL is wrong
    "lost",  # the upstream does not know the task any more
    "expired",
    "cancelled",
    "broken",  # a definite failure of the upstream
    "unclear",  # nobody knows
]

BUSY_SECONDS = 5.0
VISIBLE_WITHIN = 60_000  # ms in which a new task may not be visible everywhere at the upstream

_CODES: dict[Kind, ErrorCode] = {
    "moderated_input": "content_policy_violation",
    "moderated_output": "content_policy_violation",
    "moderated": "content_policy_violation",
    "invalid": "invalid_input",
    "expired": "expired",
    "cancelled": "cancelled",
}
_SENTENCES: dict[Kind, str] = {
    "moderated_input": "The upstream's safety check refused {what}.",
    "moderated_output": "The upstream's safety check withheld the video that it had made.",
    "moderated": "The upstream's safety check refused {what}.",
    "invalid": "The upstream refused the request: {words}",
    "auth": "The upstream refused this server's credentials.",
    "funds": "The upstream account of this server has no funds or quota left.",
    "model_gone": "The upstream does not serve this model to this server.",
    "misdirected": "The upstream's address redirects elsewhere; its base URL must be the final one.",
    "rate": "The upstream's rate limit is reached.",
    "overload": "The upstream is overloaded.",
    "later": "The upstream cannot take the task yet: {words}",
    "lost": "The upstream does not know the task any more.",
    "expired": "The task expired at the upstream.",
    "cancelled": "The task was cancelled at the upstream.",
    "broken": "The upstream failed: {words}",
    "unclear": "The upstream's answer does not tell what happened: {words}",
}
_STAGES: dict[Kind, ModerationStage] = {"moderated_input": "input", "moderated_output": "output"}
# Whether asking for the same once more makes sense, where the upstream does not say.
_RETRYABLE: dict[Kind, bool] = {
    "moderated_input": False,
    "moderated_output": True,
    "moderated": False,
    "invalid": False,
    "lost": True,
    "broken": True,
    "expired": True,
}
_STATUSES: dict[int, Kind] = {
    301: "misdirected",
    307: "misdirected",
    308: "misdirected",
    401: "auth",
    402: "funds",
    403: "auth",
    404: "model_gone",
    408: "unclear",
    410: "model_gone",
    429: "rate",
    503: "overload",
    529: "overload",
}


class Unclear(Exception):
    """An answer that does not tell whether the call took effect, such as a gateway's 502."""


class Said(Struct, frozen=True, kw_only=True):
    """The upstream's own words, as far as they were understood; ``body`` is what it sent."""

    message: str = ""
    code: str | None = None
    body: dict[str, Any] | None = None


class Fault(Struct, frozen=True, kw_only=True):
    """One no, in the common terms. ``item`` is what was refused, in words such as "image 2"."""

    kind: Kind
    said: Said = Said()
    item: str | None = None
    charged: Charged | None = None
    retryable: bool | None = None
    wait: float | None = None

    def error(self) -> TaskError:
        """What a task that failed by this shows."""
        what = f"the {self.item}" if self.item else "the request"
        words = self.said.message or self.said.code or "it gave no reason."
        message = _SENTENCES[self.kind].format(what=what, words=words)
        if self.charged in {"yes", "no"} and self.kind != "unclear":
            message += " It was charged." if self.charged == "yes" else " Nothing was charged."
        return TaskError(
            code=_CODES.get(self.kind, "upstream_error"),
            message=message,
            provider_code=self.said.code,
            provider_error=self.said.body,
            charged=self.charged,
            retryable=_RETRYABLE.get(self.kind) if self.retryable is None else self.retryable,
            stage=_STAGES.get(self.kind),
            item=self.item,
        )

    def exception(self) -> Exception:
        """What a submission that got this answer raises. Nothing but ``unclear`` leaves anything open."""
        if self.kind == "unclear":
            return Unclear(self.error().message)
        if self.kind in {"rate", "overload", "later"}:
            wait = BUSY_SECONDS if self.wait is None else self.wait
            return Deferred(self.error().message, retry_after=wait, pause=self.kind != "later")
        refused = self if self.charged is not None else replace(self, charged="no")
        if self.kind in {"auth", "funds", "model_gone", "misdirected"}:
            return Unserved(refused.error())
        return Rejected(self.error())

    def progress(self) -> Progress:
        """What a poll that found this says: the task has failed."""
        return Progress(state="failed", error=self.error())


class Errors(Struct, frozen=True, kw_only=True):
    """An upstream's codes. ``codes`` are matched whole, then by what stands before a dot, from the right.

    ``parts`` are looked for in the code, ``words`` in the message, both without regard to case and in order.
    ``statuses`` replaces the meaning of an HTTP status. ``charged``: what a no costs, unless it is said.
    """

    codes: Mapping[str, Kind] = {}
    parts: tuple[tuple[str, Kind], ...] = ()
    words: tuple[tuple[str, Kind], ...] = ()
    statuses: Mapping[int, Kind] = {}
    charged: Charged | None = None

    def refusal(self, response: HttpResponse) -> Exception:
        """The exception for an answer that is not what a submission hopes for."""
        return self.fault(response).exception()

    def fault(self, response: HttpResponse) -> Fault:
        """What an error answer means, by its code, its words and its status, in this order."""
        said = said_in(response)
        kind = self.kind(said) or self._by_status(response, said)
        return Fault(kind=kind, said=said, charged=self.charged, wait=retry_after(response))

    def kind(self, said: Said) -> Kind | None:
        """What the upstream's own words mean; None when they are not among those listed."""
        if said.code:
            for code in _ever_shorter(said.code):
                if code in self.codes:
                    return self.codes[code]
        for listed, text in ((self.parts, said.code), (self.words, said.message)):
            for part, kind in listed:
                if text and part.lower() in text.lower():
                    return kind
        return None

    def _by_status(self, response: HttpResponse, said: Said) -> Kind:
        kind = self.statuses.get(response.status) or _STATUSES.get(response.status)
        if kind == "overload" and said.body is None:
            return "unclear"  # not the upstream's own words: a proxy may say 503 for a call that it passed on
        if kind is None:
            kind = "invalid" if 400 <= response.status < 500 else "unclear"
        return kind


def said_in(response: HttpResponse) -> Said:
    """The words of an error answer, from the shapes that are in use; never raises."""
    try:
        value = response.json()
    except Unreadable:
        text = response.body[:500].decode("utf-8", "replace").strip()
        return Said(message=f"HTTP {response.status}" + (f": {text}" if text and "<" not in text else ""))
    said = said_of(value)
    return said if said.message or said.code else replace(said, message=f"HTTP {response.status}")


def said_of(value: Any) -> Said:
    """An error object's words: ``{"error": {code, message}}``, ``{code, message}``, or ``{"detail": …}``."""
    if isinstance(value, str):
        return Said(message=value)
    if not isinstance(value, dict):
        return Said()
    inner = value.get("error")
    if isinstance(inner, dict):
        return replace(said_of(inner), body=value)
    code = _first(value, "code", "error_type", "err_code", "status_code", "type", "status")
    message = _first(value, "message", "msg", "detail", "error", "status_msg", "title", "reason")
    return Said(message=message or "", code=code, body=value)


def lost(look: Look, response: HttpResponse) -> Progress | Exception:
    """A poll found no such task. Soon after the creation that may pass; later it is final."""
    if response.received_at - look.job.submitted_at < VISIBLE_WITHIN:
        return Unclear("the upstream does not show the task yet")
    return Fault(kind="lost", said=said_in(response)).progress()


def unanswered(response: HttpResponse, errors: Errors) -> Exception:
    """The exception for a poll, look-up or cancel without a proper answer: the task has not failed."""
    fault = errors.fault(response)
    if fault.kind in {"rate", "overload", "later"}:
        return fault.exception()
    return Unclear(fault.error().message)


def _first(value: Mapping[str, Any], *names: str) -> str | None:
    for name in names:
        found = value.get(name)
        if isinstance(found, str) and found:
            return found
        if isinstance(found, int) and not isinstance(found, bool):
            return str(found)
        if isinstance(found, list) and found and isinstance(found[0], dict):
            return _first(found[0], *names)
    return None


def _ever_shorter(code: str) -> list[str]:
    parts = code.split(".")
    return [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
