"""MiniMax's codes. The first version says them in ``base_resp`` under HTTP 200, the second in its words.

Failed and blocked generations are not billed.
"""

import re

from msgspec.structs import replace

from meshapi_server.upstreams.adapter import HttpResponse
from meshapi_server.upstreams.http import retry_after
from meshapi_server.upstreams.refusals import Errors, Fault, Said, Unclear

# The type of an error of the second version says enough in four cases; else the number in its words does.
ERRORS = Errors(
    codes={
        **dict.fromkeys(("1002", "1039"), "rate"),
        **dict.fromkeys(("1004", "2049"), "auth"),
        **dict.fromkeys(("1008", "1028", "1030"), "funds"),
        **dict.fromkeys(("1000", "1001", "1013", "1033"), "unclear"),
        "1026": "moderated_input",
        "1027": "moderated_output",
        "2013": "invalid",
        "2061": "model_gone",
        "authorized_error": "auth",
        "insufficient_balance_error": "funds",
        "overloaded_error": "overload",
        "rate_limit_error": "rate",
    },
    charged="no",
)
_NUMBER = re.compile(r"\((\d{4})\)\s*$")


def fault_in(response: HttpResponse) -> Fault | None:
    """What is wrong with an answer; None when it is a proper one. Raises Unreadable."""
    if response.ok:
        return _fault_of_base(response)
    fault = ERRORS.fault(response)
    number = _NUMBER.search(fault.said.message)
    if number is None:
        return fault
    said = replace(fault.said, code=number[1])
    return replace(fault, said=said, kind=ERRORS.kind(fault.said) or ERRORS.kind(said) or fault.kind)


def failure(code: str | None, words: str, body: dict[str, object]) -> Fault:
    """Why a task failed."""
    number = _NUMBER.search(words)
    said = Said(code=code or (number[1] if number else None), message=words, body=body)
    kind = ERRORS.kind(said)
    if kind not in {"moderated_input", "moderated_output", "invalid"}:
        kind = "broken"
    return Fault(kind=kind, said=said, charged="no")


def unanswered(fault: Fault) -> Exception:
    """The exception for a look or cancel without a proper answer: the task has not failed."""
    if fault.kind in {"rate", "overload", "later"}:
        return fault.exception()
    return Unclear(fault.error().message)


def _fault_of_base(response: HttpResponse) -> Fault | None:
    value = response.object()
    base = value.get("base_resp")
    code = base.get("status_code") if isinstance(base, dict) else None
    if not isinstance(base, dict) or code in {None, 0}:
        return None
    words = base.get("status_msg")
    said = Said(code=str(code), message=words if isinstance(words, str) else "", body=value)
    kind = ERRORS.kind(said) or "unclear"
    return Fault(kind=kind, said=said, charged="no", wait=retry_after(response))
