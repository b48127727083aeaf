"""The named SQL statements, read from ``statements.sql``: one text that every dialect starts from."""

import re
from collections.abc import Mapping
from importlib import resources

TASK_COLUMNS = (
    "id",
    "owner",
    "request_id",
    "requested_model",
    "model",
    "upstream",
    "status",
    "version",
    "created_at",
    "updated_at",
    "completed_at",
    "expires_at",
    "progress",
    "draft_task_id",
    "spec",
    "outcome",
)
SCHEDULE_COLUMNS = (
    "state",
    "due",
    "attempt",
    "worker",
    "lease_until",
    "upstream_ref",
    "polls",
    "cancel_requested",
)
KEY_COLUMNS = ("id", "owner", "name", "last_four", "created_at", "revoked_at")

_COLUMNS = {
    "{task}": ", ".join(f"task.{name}" for name in TASK_COLUMNS),
    "{schedule}": ", ".join(f"schedule.{name}" for name in SCHEDULE_COLUMNS),
    "{key}": ", ".join(f"api_key.{name}" for name in KEY_COLUMNS),
}
_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def load() -> Mapping[str, str]:
    """Every statement by its name, with the column lists filled in; ``{filters}`` is left to the caller."""
    text = resources.files(__package__).joinpath("statements.sql").read_text("utf-8")
    parts = _NAME.split(text)[1:]
    return {name: _fill(body) for name, body in zip(parts[::2], parts[1::2], strict=True)}


def _fill(statement: str) -> str:
    lines = [line for line in statement.splitlines() if line and not line.startswith("--")]
    filled = "\n".join(lines)
    for placeholder, columns in _COLUMNS.items():
        filled = filled.replace(placeholder, columns)
    return filled
