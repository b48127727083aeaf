"""Runway's task object and its errors in our terms."""

from collections.abc import Mapping
from typing import Any, Literal

from meshapi_server.upstreams.adapter import Progress
from meshapi_server.upstreams.refusals import Errors, Fault, Kind, Said

ONGOING = frozenset({"THROTTLED", "PENDING", "RUNNING"})

# Failure codes have parts, such as SAFETY.INPUT.TEXT; HTTP errors have words only.
ERRORS = Errors(
    codes={
        "SAFETY.INPUT": "moderated_input",
        "SAFETY.OUTPUT": "moderated_output",
        "ASSET.INVALID": "invalid",
        "INTERNAL": "broken",
    },
    parts=(("SAFETY", "moderated_input"),),
    words=(("enough credits", "funds"),),
    statuses={502: "overload"},  # as 503: load that was shed, when Runway itself says so
    charged="no",
)
_DEFINITE: frozenset[Kind] = frozenset({"moderated_input", "moderated_output", "invalid"})


def progress_of(task: Mapping[str, Any]) -> Progress:
    """Where a task stands. A status that is not known yet is one of a running task."""
    match task.get("status"):
        case "THROTTLED" | "PENDING":
            return Progress(state="queued")
        case "SUCCEEDED":
            return Progress(state="succeeded")
        case "FAILED":
            return _failure(task).progress()
        case "CANCELLED":
            return Fault(kind="cancelled", charged=_charged(task)).progress()
    done = task.get("progress")
    fraction = None if isinstance(done, bool) or not isinstance(done, (int, float)) else float(done)
    return Progress(state="running", fraction=fraction)


def _failure(task: Mapping[str, Any]) -> Fault:
    """Why a task failed. Runway asks not to repeat what its safety check refused, before or after."""
    code = task.get("failureCode")
    words = task.get("failure")
    said = Said(
        message=words if isinstance(words, str) else "",
        code=code if isinstance(code, str) else None,
        body={"failure": words, "failureCode": code},
    )
    kind = ERRORS.kind(said)
    kind = kind if kind in _DEFINITE else "broken"
    retryable = False if kind == "moderated_output" else None
    return Fault(kind=kind, said=said, charged=_charged(task), retryable=retryable)


def _charged(task: Mapping[str, Any]) -> Literal["yes", "no", "unknown"]:
    """What an ended task cost, as it says itself."""
    cost = task.get("cost")
    spent = cost.get("credits") if isinstance(cost, dict) else None
    if not isinstance(spent, (int, float)):
        return "unknown"
    return "yes" if spent > 0 else "no"
