"""The named SQL statements: one text for both dialects, and a small overlay where they must differ."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Literal

from msgspec import Struct

Dialect = Literal["sqlite", "postgres"]

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
    "files_removed_at",
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
KEY_COLUMNS = (
    "id",
    "owner",
    "name",
    "last_four",
    "created_at",
    "admin",
    "models",
    "requests_per_minute",
    "requests_per_day",
    "tasks_in_flight",
    "concurrency",
    "budget_per_day",
    "budget_total",
    "expires_at",
    "suspended_at",
    "revoked_at",
    "rotated_at",
)
DELIVERY_COLUMNS = (
    "id",
    "owner",
    "event_id",
    "type",
    "task_id",
    "endpoint_id",
    "url",
    "host",
    "status",
    "created_at",
    "due",
    "attempt",
    "tries",
    "worker",
    "ended_at",
    "http_status",
    "error",
)
ENDPOINT_COLUMNS = ("id", "owner", "url", "description", "enabled", "events", "created_at", "updated_at")

_COLUMNS = {
    "{task}": ", ".join(f"task.{name}" for name in TASK_COLUMNS),
    "{schedule}": ", ".join(f"schedule.{name}" for name in SCHEDULE_COLUMNS),
    "{attempt}": ", ".join(f"timeline.{name}" for name in ATTEMPT_COLUMNS),
    "{pool}": ", ".join(f"pool.{name}" for name in POOL_COLUMNS),
    "{delivery}": ", ".join(f"delivery.{name}" for name in DELIVERY_COLUMNS),
    "{endpoint}": ", ".join(f"endpoint.{name}" for name in ENDPOINT_COLUMNS),
    "{key}": ", ".join(f"api_key.{name}" for name in KEY_COLUMNS),
}
_ROWS = {"{columns of task}": ", ".join(TASK_COLUMNS)}  # for `returning`, where SQLite knows no table name
# What else a placeholder stands for. In SQLite whoever writes has locked everything already.
_WORDS: dict[Dialect, dict[str, str]] = {
    "sqlite": {"{least}": "min", "{greatest}": "max"},
    "postgres": {"{least}": "least", "{greatest}": "greatest"},
}
_LOCKS: dict[Dialect, dict[str, str]] = {
    "sqlite": {"{lock}": "", "{skip}": ""},
    "postgres": {"{lock}": "for update", "{skip}": "for update skip locked"},
}
_LISTS: dict[Dialect, tuple[tuple[str, str], ...]] = {
    "sqlite": (
        (r"\{one of (\w+)\}", r"in (select value from json_each(:\1))"),
        (r"\{each (\w+)\}", r"json_each(:\1) as each"),
    ),
    "postgres": (
        (r"\{one of (\w+)\}", r"= any(:\1)"),
        (r"\{each (\w+)\}", r"unnest(:\1::text[]) as each(value)"),
    ),
}
_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]\w*)")  # not the type in `value::type`


class Statement(Struct, frozen=True):
    """A statement of one dialect: as it only looks, and as it locks the rows that it finds."""

    looking: str
    locking: str


class Positional(Struct, frozen=True):
    """A statement with ``$1``, ``$2`` ... and the names whose values they stand for, in that order."""

    text: str
    names: tuple[str, ...]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """The values in the order of the parameters."""
        return [values[name] for name in self.names]


@cache
def load(dialect: Dialect) -> Mapping[str, Statement]:
    """Every statement of a dialect by its name; ``{filters}`` and ``{state}`` are left to the caller.

    ``statements.sql``, ``statements_callbacks.sql`` and ``statements_money.sql`` hold them for both;
    ``statements_<dialect>.sql`` those that cannot be shared.
    """
    found = {
        **_read("statements.sql"),
        **_read("statements_money.sql"),
        **_read("statements_callbacks.sql"),
        **_read("statements_files.sql"),
        **_read(f"statements_{dialect}.sql"),
    }
    return {name: _statement(body, dialect) for name, body in found.items()}


@lru_cache(maxsize=1024)
def positional(statement: str) -> Positional:
    """A statement with ``:name`` parameters in PostgreSQL's spelling. A name used twice is one parameter."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        if match[1] not in names:
            names.append(match[1])
        return f"${names.index(match[1]) + 1}"

    text = _PARAMETER.sub(number, statement)
    return Positional(text, tuple(names))


def _read(name: str) -> dict[str, str]:
    text = resources.files(__package__).joinpath(name).read_text("utf-8")
    parts = _NAME.split(text)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _statement(body: str, dialect: Dialect) -> Statement:
    text = "\n".join(line for line in body.splitlines() if line and not line.startswith("--"))
    for pattern, words in _LISTS[dialect]:
        text = re.sub(pattern, words, text)
    text = _replace(text, {**_COLUMNS, **_ROWS, **_WORDS[dialect]})
    return Statement(
        looking=_replace(text, dict.fromkeys(_LOCKS[dialect], "")), locking=_replace(text, _LOCKS[dialect])
    )


def _replace(text: str, words: Mapping[str, str]) -> str:
    for placeholder, word in words.items():
        text = text.replace(placeholder, word)
    return text
