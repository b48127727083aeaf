"""Ark's error codes. Only a video that succeeded is billed."""

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from meshapi_server.upstreams.refusals import Errors, Fault, said_of

ERRORS = Errors(
    codes={
        "InvalidParameter": "invalid",
        "MissingParameter": "invalid",
        "InvalidEndpoint": "model_gone",
        "InvalidEndpointOrModel": "model_gone",
        "ModelNotOpen": "model_gone",
        "AuthenticationError": "auth",
        "InvalidAccountStatus": "auth",
        "AccessDenied": "auth",
        "AccountOverdueError": "funds",
        "OperationDenied.ServiceNotOpen": "model_gone",
        "OperationDenied.ServiceOverdue": "funds",
        "OperationDenied.PermissionDenied": "auth",
        "ServerOverloaded": "overload",
        "SetLimitExceeded": "funds",
        "InternalServiceError": "unclear",
    },
    # Codes are many and grow: an output that was withheld says so first, the rest is about an input.
    parts=(
        ("OutputVideo", "moderated_output"),
        ("OutputAudio", "moderated_output"),
        ("OutputImage", "moderated_output"),
        ("Sensitive", "moderated_input"),
        ("RiskDetection", "moderated_input"),
        ("ContentSecurity", "moderated_input"),
    ),
    statuses={500: "unclear"},
    charged="no",
)

# QuotaExceeded is said of a full queue, which passes, and of a used-up trial or plan, which does not.
_USED_UP = ("trial", "free quota", "plan")
_REQUEST_ID = re.compile(r"\s*Request id:\s*\S+", re.IGNORECASE)
_ITEMS = (
    ("InputText", "prompt"),
    ("InputImage", "input image"),
    ("InputVideo", "input video"),
    ("InputAudio", "input audio"),
)


def refused(fault: Fault) -> Fault:
    """A fault with what it is about, and without the upstream's internal number in its words."""
    said = replace(fault.said, message=_REQUEST_ID.sub("", fault.said.message).strip())
    code = said.code or ""
    item = next((words for part, words in _ITEMS if code.startswith(part)), None)
    kind = fault.kind
    if code.startswith("QuotaExceeded") and any(word in said.message.lower() for word in _USED_UP):
        kind = "funds"
    return replace(fault, kind=kind, said=said, item=item)


def failure(task: Mapping[str, Any]) -> Fault:
    """Why a task failed."""
    error = task.get("error")
    said = replace(said_of(error), body={"error": error} if error else None)
    kind = ERRORS.kind(said)
    if kind not in {"moderated_input", "moderated_output", "invalid"}:
        kind = "broken"
    return refused(Fault(kind=kind, said=said, charged="no"))
