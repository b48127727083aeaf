"""The named statements: valid in both dialects, and served by an index where there may be a million rows."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meshapi_server.store.postgres_connections import Connections
from meshapi_server.store.sqlite_migrate import migrate
from meshapi_server.store.statements import load, positional
from meshapi_server.store.writer import connect

from ..samples import NOW

# These look at every row, by their nature: asked for at a start, by a person, or of a small table.
WHOLE = {"recount_pools", "count_states", "list_keys", "all_leases", "sweep_idempotency", "enter_lane"}
_LISTS = {"ids", "names", "upstreams", "owners", "keys"}
FILTERS = "owner = :owner and status in (:status_0)"


def text(statement: str) -> str:
    return statement.replace("{filters}", FILTERS).replace("{state}", "polling")


def values(statement: str) -> dict[str, Any]:
    return {name: "[]" if name in _LISTS else 1 for name in re.findall(r":([a-z]\w*)", statement)}


def test_a_name_used_twice_is_one_parameter_and_a_cast_is_none() -> None:
    made = positional("select :b::text, :a, :b from t where x = :a_long")
    assert made.text == "select $1::text, $2, $1 from t where x = $3"
    assert made.arguments({"a": 1, "b": 2, "a_long": 3}) == [2, 1, 3]


def test_both_dialects_know_the_same_statements() -> None:
    assert load("sqlite").keys() == load("postgres").keys()


def test_no_placeholder_is_left_over() -> None:
    for dialect in ("sqlite", "postgres"):
        for name, statement in load(dialect).items():  # type: ignore[arg-type]
            for each in (statement.looking, statement.locking):
                assert not re.search(r"\{(?!filters|state)", each), name


def test_only_postgres_locks_rows_and_only_where_it_is_asked_to() -> None:
    assert not any("for update" in each.locking for each in load("sqlite").values())
    assert not any("for update" in each.looking for each in load("postgres").values())
    locking = {name for name, each in load("postgres").items() if "for update" in each.locking}
    assert {"lock_schedules", "get_pools", "queued_candidates", "due_candidates", "expired_leases"} <= locking


def plans(path: Path) -> Iterator[tuple[str, list[str]]]:
    connection = connect(path)
    migrate(connection, NOW)
    for name, statement in load("sqlite").items():
        ready = text(statement.looking)
        if ready:
            rows = connection.execute(f"explain query plan {ready}", values(ready)).fetchall()
            yield name, [row[3] for row in rows]
    connection.close()


def test_sqlite_finds_its_rows_by_an_index(tmp_path: Path) -> None:
    seen = 0
    for name, steps in plans(tmp_path / "a.db"):
        seen += 1
        if name not in WHOLE:
            wrong = [step for step in steps if re.match(r"SCAN (task|schedule|mine|ahead|idempotency)", step)]
            assert not wrong, (name, steps)
            assert not [step for step in steps if "TEMP B-TREE" in step and name != "get_timeline"], (
                name,
                steps,
            )
    assert seen > 40


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
async def test_postgres_takes_every_statement_and_finds_its_rows_by_an_index(database: str) -> None:
    connection = await Connections(database).connect()
    # An empty table is always read whole, unless that is made to look expensive.
    await connection.execute("set enable_seqscan = off; set plan_cache_mode = force_generic_plan")
    for name, statement in load("postgres").items():
        for each in {statement.looking, statement.locking}:
            prepared = await connection.prepare(positional(text(each)).text)
            assert prepared.get_query()
        ready = positional(text(statement.locking))
        arguments = ", ".join("null" for _ in ready.names)
        await connection.execute(f"prepare checked as {ready.text}")
        rows = await connection.fetch(f"explain execute checked{f'({arguments})' if arguments else ''}")
        plan = "\n".join(row[0] for row in rows)
        await connection.execute("deallocate checked")
        if name not in WHOLE:
            assert not re.search(r"Seq Scan on (task|schedule|idempotency)\b", plan), (name, plan)
    await connection.close()


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
async def test_postgres_takes_text_that_it_cannot_hold(database: str, store: Any) -> None:
    for odd in ("a\0b", "\ud800", "task_\0"):
        assert await store.get("own_1", odd) is None
        assert await store.get_by_request("own_1", odd) is None
