"""Vidu's error names: in an HTTP answer, or as ``err_code`` of a task. Only a success takes credits."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from meshapi_server.upstreams.adapter import HttpResponse, Unreadable
from meshapi_server.upstreams.refusals import Errors, Fault, Said

# The HTTP status is 400 for nearly all of them, so the name decides.
_NAMES = Errors(
    codes={
        "TaskPromptPolicyViolation": "moderated_input",
        "AuditSubmitIllegal": "moderated_input",
        "CreationPolicyViolation": "moderated_output",
        "BadRequest": "invalid",
        "FieldLacking": "invalid",
        "FieldUnwanted": "invalid",
        "FieldInvalid": "invalid",
        "FieldItemCountOutOfRange": "invalid",
        "PageSizeOutOfRange": "invalid",
        "ImageDownloadFailure": "invalid",
        "ImageFormatInvalid": "invalid",
        "CreditInsufficient": "funds",
        "ModelUnavailable": "model_gone",
        "UserCancelled": "cancelled",
        "Unauthorized": "auth",
        "Forbidden": "auth",
        "QuotaExceeded": "rate",
        "TooManyRequests": "rate",
        "SystemThrottling": "overload",
        "OperationInProcess": "later",
        "Conflict": "unclear",
        "Canceled": "unclear",
        "InternalServiceFailure": "unclear",
    },
    charged="no",
)
_PLACES = ("reason", "err_code", "code", "error")  # of the name; sources differ, or do not say
_ITEMS = {"TaskPromptPolicyViolation": "prompt"}  # what was refused, where the name tells
_ENDINGS = frozenset({"moderated_input", "moderated_output", "invalid", "cancelled", "funds", "model_gone"})


class _Refusals(Errors, frozen=True):
    """The names, wherever an answer has them; ``code`` may be a number beside the name."""

    def fault(self, response: HttpResponse) -> Fault:
        """What an error answer means."""
        fault = super().fault(response)
        named = _name_in(fault.said.body)
        if named is None:
            return fault
        said = replace(fault.said, code=named)
        return replace(fault, said=said, kind=self.kind(said) or fault.kind, item=_ITEMS.get(named))


REFUSALS = _Refusals(codes=_NAMES.codes, charged=_NAMES.charged)


def refuses(response: HttpResponse) -> bool:
    """Whether an answer is an error, by its status, or by its words in spite of the status."""
    if not response.ok:
        return True
    try:
        answer = response.object()
    except Unreadable:
        return False
    return answer.get("code") not in {None, 0, "", "0"} and "state" not in answer


def failure(task: Mapping[str, Any]) -> Fault:
    """Why a task failed. A name that is about calls, not about the task, is a failure of Vidu's."""
    named = task.get("err_code")
    told = {name: task.get(name) for name in ("state", "err_code", "credits") if task.get(name) is not None}
    said = Said(code=named if isinstance(named, str) and named else None, body=told)
    kind = REFUSALS.kind(said)
    kind = kind if kind in _ENDINGS else "broken"
    return Fault(kind=kind, said=said, item=_ITEMS.get(said.code or ""), charged="no")


def _name_in(body: Mapping[str, Any] | None) -> str | None:
    inner = (body or {}).get("error")
    answer = inner if isinstance(inner, dict) else body or {}
    found = [answer[place] for place in _PLACES if isinstance(answer.get(place), str) and answer[place]]
    return next((name for name in found if name in _NAMES.codes), None)
