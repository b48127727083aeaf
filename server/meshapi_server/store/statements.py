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
    "key_id",
    "routes",
    "spec",
    "outcome",
)
SCHEDULE_COLUMNS = (
    "state",
    "due",
    "upstream",
    "expires_at",
    "lane",
    "rank",
    "attempt",
    "submission",
    "route",
    "worker",
    "lease_until",
    "upstream_ref",
    "accepted_at",
    "polls",
    "give_up_at",
    "woken",
    "cancel_requested",
)
ATTEMPT_COLUMNS = (
    "task_id",
    "attempt",
    "kind",
    "upstream",
    "model",
    "started_at",
    "worker",
    "ended_at",
    "result",
    "message",
    "polls",
)
POOL_COLUMNS = ("name", "capacity", "used", "pace", "burst", "full_at", "paused_until")
KEY_COLUMNS = ("id", "owner", "name", "last_four", "created_at", "revoked_at", "concurrency")

_COLUMNS = {
    "{task}": ", ".join(f"task.{name}" for name in TASK_COLUMNS),
    "{schedule}": ", ".join(f"schedule.{name}" for name in SCHEDULE_COLUMNS),
    "{attempt}": ", ".join(f"timeline.{name}" for name in ATTEMPT_COLUMNS),
    "{pool}": ", ".join(f"pool.{name}" for name in POOL_COLUMNS),
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
