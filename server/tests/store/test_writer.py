"""Group commit: callers share a commit, never a fault."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from meshapi_server.store.writer import Writer, connect


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[Writer]:
    path = tmp_path / "w.db"
    connection = connect(path)
    connection.execute("create table number (value integer not null unique)")
    connection.close()
    started = Writer(path)
    started.start()
    yield started
    await started.stop()


async def insert(writer: Writer, value: int | None) -> None:
    await writer.write(lambda database: database.execute("insert into number values (?)", (value,)))


async def values(writer: Writer) -> list[int]:
    rows = await writer.write(lambda database: database.execute("select value from number").fetchall())
    return sorted(value for (value,) in rows)


async def together(writer: Writer, *inserts: int | None) -> list[object]:
    """Hold the writing thread until all inserts wait, so that they share one commit."""
    gate = threading.Event()
    held = asyncio.create_task(writer.write(lambda _: gate.wait(10)))
    await asyncio.sleep(0.05)
    waiting = [asyncio.create_task(insert(writer, value)) for value in inserts]
    await asyncio.sleep(0.05)
    gate.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    await held
    return list(results)


async def test_one_failing_work_in_a_group_undoes_only_itself(writer: Writer) -> None:
    results = await together(writer, 1, None, 2, 1, 3)
    kinds = [type(result) for result in results]
    assert kinds == [type(None), sqlite3.IntegrityError, type(None), sqlite3.IntegrityError, type(None)]
    assert await values(writer) == [1, 2, 3]


async def test_half_done_work_is_undone_whole(writer: Writer) -> None:
    def half(database: sqlite3.Connection) -> None:
        database.execute("insert into number values (1)")
        raise ValueError("stop here")

    with pytest.raises(ValueError, match="stop here"):
        await writer.write(half)
    assert await values(writer) == []


async def test_waiting_works_share_one_commit(writer: Writer, tmp_path: Path) -> None:
    reader = connect(tmp_path / "w.db", read_only=True)
    seen: list[int] = []

    def look(_: sqlite3.Connection) -> None:
        seen.append(reader.execute("select count(*) from number").fetchone()[0])

    gate = threading.Event()
    held = asyncio.create_task(writer.write(lambda _: gate.wait(10)))
    await asyncio.sleep(0.05)
    pending = [asyncio.create_task(insert(writer, 1)), asyncio.create_task(writer.write(look))]
    await asyncio.sleep(0.05)
    gate.set()
    await asyncio.gather(held, *pending)
    # The reader, on a connection of its own, saw nothing of the open transaction.
    assert seen == [0]
    assert reader.execute("select count(*) from number").fetchone() == (1,)
    reader.close()


async def test_when_the_commit_itself_fails_everyone_in_the_group_hears_of_it_and_the_writer_lives(
    writer: Writer,
) -> None:
    def spoil(database: sqlite3.Connection) -> None:
        # What SQLite does by itself on a full disk: the whole transaction is gone.
        database.execute("release one")
        database.execute("rollback")

    gate = threading.Event()
    held = asyncio.create_task(writer.write(lambda _: gate.wait(10)))
    await asyncio.sleep(0.05)
    waiting = [asyncio.create_task(insert(writer, 1)), asyncio.create_task(writer.write(spoil))]
    await asyncio.sleep(0.05)
    gate.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    await held
    assert all(isinstance(result, sqlite3.OperationalError) for result in results), results
    await insert(writer, 2)
    assert await values(writer) == [2]


async def test_a_caller_that_gives_up_does_not_undo_its_write(writer: Writer) -> None:
    gate = threading.Event()
    held = asyncio.create_task(writer.write(lambda _: gate.wait(10)))
    await asyncio.sleep(0.05)
    impatient = asyncio.create_task(insert(writer, 1))
    await asyncio.sleep(0.05)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    gate.set()
    await held
    assert await values(writer) == [1]


async def test_stopping_finishes_what_waits(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    connection = connect(path)
    connection.execute("create table number (value integer)")
    writer = Writer(path)
    writer.start()
    waiting = [asyncio.create_task(insert(writer, value)) for value in range(100)]
    await asyncio.sleep(0)
    await writer.stop()
    await asyncio.gather(*waiting)
    assert connection.execute("select count(*) from number").fetchone() == (100,)
    connection.close()


async def test_a_write_after_the_end_is_refused_instead_of_waiting_for_ever(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "e.db")
    writer.start()
    await writer.stop()
    with pytest.raises(RuntimeError, match="closed"):
        await asyncio.wait_for(writer.write(lambda _: None), 5)


def test_an_accepted_write_is_synced_and_a_reader_cannot_write(tmp_path: Path) -> None:
    connection = connect(tmp_path / "c.db")
    assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
    assert connection.execute("pragma synchronous").fetchone() == (2,)
    assert connection.execute("pragma foreign_keys").fetchone() == (1,)
    connection.execute("create table t (x)")
    reader = connect(tmp_path / "c.db", read_only=True)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("insert into t values (1)")
    reader.close()
    connection.close()
