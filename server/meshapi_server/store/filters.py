"""From a list request to a WHERE clause; values are always parameters."""

from typing import Any

from meshapi_server.tasks.ports import Query

from .statements import Dialect

_PAIR: dict[Dialect, str] = {
    "sqlite": "exists (select 1 from json_each(task.metadata) as pair"
    " where pair.key = {key} and pair.value = {value})",
    "postgres": "metadata ->> {key}::text = {value}",
}


def where(owner: str, query: Query, dialect: Dialect) -> tuple[str, dict[str, Any]]:
    """The clause for ``{filters}`` and its parameters. The cursor is not part of it (see ``after``)."""
    clauses = ["owner = :owner"]
    values: dict[str, Any] = {"owner": owner}
    states = []
    if query.statuses:
        states.append(_any("status", "status", query.statuses, values))
    if query.errors:
        states.append(_any("error_code", "error", query.errors, values))
    if states:
        clauses.append(f"({' or '.join(states)})")
    if query.models:
        # A simulated task is found by the model that was asked for and by the one that served it.
        served = _any("model", "model", query.models, values)
        asked = _any("requested_model", "asked", query.models, values)
        clauses.append(f"({served} or {asked})")
    if query.created_after is not None:
        clauses.append("created_at >= :created_after")
        values["created_after"] = query.created_after
    if query.created_before is not None:
        clauses.append("created_at < :created_before")
        values["created_before"] = query.created_before
    for number, (key, value) in enumerate(query.metadata):
        clauses.append(_PAIR[dialect].format(key=f":key{number}", value=f":value{number}"))
        values[f"key{number}"] = key
        values[f"value{number}"] = value
    return " and ".join(clauses), values


def after(clause: str, values: dict[str, Any], cursor: str | None) -> tuple[str, dict[str, Any]]:
    """The clause continued behind the task ``cursor``: a key, so that any depth costs the same."""
    if cursor is None:
        return clause, values
    return f"{clause} and id < :after", {**values, "after": cursor}


def _any(column: str, prefix: str, wanted: tuple[str, ...], values: dict[str, Any]) -> str:
    names = [f"{prefix}_{number}" for number in range(len(wanted))]
    values.update(zip(names, wanted, strict=True))
    return f"{column} in ({', '.join(f':{name}' for name in names)})"
