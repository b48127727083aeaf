"""Point reads of SQLite: one snapshot for a turn of the event loop, never older than the news."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from meshapi_server.accounts.keys import Keys
from meshapi_server.store import sqlite_turn
from meshapi_server.store.sqlite import SqliteStore
from meshapi_server.store.sqlite_turn import TurnReader
from meshapi_server.store.stored_keys import StoredKeys
from meshapi_server.store.writer import connect

from ..samples import HandClock

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


async def _secret(store: SqliteStore) -> bytes | None:
    rows = await store.fetch("get_secret", name="colour")
    return rows[0][0] if rows else None


def _paint(store: SqliteStore, colour: bytes) -> None:
    """Commit behind the store's back, and before the turn is over."""
    with connect(store._path) as other:
        other.execute("insert or replace into secret (name, value) values ('colour', ?)", (colour,))
    other.close()


@on_sqlite
async def test_a_turn_sees_one_moment_and_the_next_turn_sees_what_was_committed(store: SqliteStore) -> None:
    _paint(store, b"red")
    assert await _secret(store) == b"red"
    _paint(store, b"blue")
    assert await _secret(store) == b"red"
    await asyncio.sleep(0)
    assert await _secret(store) == b"blue"


@on_sqlite
async def test_who_was_told_of_a_commit_reads_it(store: SqliteStore, clock: HandClock) -> None:
    keys = Keys(StoredKeys(store), clock)

    async def make_and_look() -> None:
        for _ in range(20):
            secret, key = await keys.create("ci")
            assert await keys.check(secret) == key
            await keys.revoke(key.id)
            assert await keys.check(secret) is None

    await asyncio.gather(*(make_and_look() for _ in range(8)))


@on_sqlite
async def test_what_is_known_is_told_again_until_somebody_commits(store: SqliteStore) -> None:
    statements: list[str] = []
    store._looker()._connection.set_trace_callback(statements.append)

    async def selects() -> int:
        statements.clear()
        await asyncio.sleep(0)
        await _secret(store)
        return sum(text.startswith("select") for text in statements)

    assert [await selects() for _ in range(3)] == [1, 0, 0]
    _paint(store, b"red")
    assert [await selects() for _ in range(2)] == [1, 0]
    await store.write(lambda database: database.execute("update secret set value = x'00'"))
    assert [await selects() for _ in range(2)] == [1, 0]
    await store.write(lambda database: None)
    assert await selects() == 0, "a transaction that changes nothing is no change"


@on_sqlite
async def test_what_is_known_is_bounded(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_turn, "_MOST_KNOWN", 3)
    for number in range(10):
        await store.fetch("get_secret", name=f"colour {number}")
        assert len(store._looker()._known) <= 3


@on_sqlite
async def test_the_same_question_costs_one_statement_in_a_turn(store: SqliteStore) -> None:
    statements: list[str] = []
    await asyncio.sleep(0)
    reader = store._looker()
    reader._connection.set_trace_callback(statements.append)
    await asyncio.gather(*(_secret(store) for _ in range(10)), store.fetch("get_secret", name="another"))
    await asyncio.sleep(0)
    reader._connection.set_trace_callback(None)
    assert [text.split()[0] for text in statements] == ["begin", "pragma", "select", "select", "rollback"]


async def test_a_store_that_closes_in_the_middle_of_a_turn_ends_quietly(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "turn.db"
    connect(path).close()
    reader = TurnReader(connect(path, read_only=True))
    assert reader.fetch("one", "select 1", {}) == [(1,)]
    reader.close()
    await asyncio.sleep(0)
    assert not caplog.records
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        reader.snapshot()
