"""Migrations of a SQLite file: each once, in order, and never backwards."""

import sqlite3
import threading
from pathlib import Path

import pytest

from meshapi_server.store import migrate as room
from meshapi_server.store.migrate import Migration, SchemaTooNew, migrations
from meshapi_server.store.sqlite_migrate import applied, migrate
from meshapi_server.store.writer import connect

from ..samples import NOW


def schema(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    rows = connection.execute("select name, sql from sqlite_master where sql is not null order by name")
    return [(name, " ".join(sql.split())) for name, sql in rows.fetchall()]


def fresh(path: Path) -> sqlite3.Connection:
    connection = connect(path)
    migrate(connection, NOW)
    return connection


def test_a_fresh_database_gets_every_migration_in_order(tmp_path: Path) -> None:
    connection = connect(tmp_path / "a.db")
    assert applied(connection) == set()
    numbers = [migration.number for migration in migrations("sqlite")]
    assert migrate(connection, NOW) == numbers == sorted(set(numbers))
    assert applied(connection) == set(numbers)
    rows = connection.execute("select number, applied_at from schema_migration order by number").fetchall()
    assert rows == [(number, NOW) for number in numbers]
    connection.close()


def test_both_dialects_have_the_same_migrations() -> None:
    names = [[(each.number, each.name) for each in migrations(dialect)] for dialect in ("sqlite", "postgres")]
    assert names[0] == names[1]


def test_migrating_again_does_nothing(tmp_path: Path) -> None:
    connection = fresh(tmp_path / "a.db")
    before = schema(connection)
    assert migrate(connection, NOW + 1) == []
    assert schema(connection) == before
    connection.close()


def test_migrating_one_by_one_gives_the_schema_of_a_fresh_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = migrations("sqlite")
    stepwise = connect(tmp_path / "steps.db")
    for count in range(1, len(everything) + 1):
        monkeypatch.setattr(room, "migrations", lambda _, count=count: everything[:count])
        assert migrate(stepwise, NOW) == [everything[count - 1].number]
    monkeypatch.undo()
    at_once = fresh(tmp_path / "once.db")
    assert schema(stepwise) == schema(at_once)
    stepwise.close()
    at_once.close()


def test_a_database_of_a_newer_server_is_refused_and_left_alone(tmp_path: Path) -> None:
    connection = fresh(tmp_path / "a.db")
    connection.execute("insert into schema_migration values (9999, 'future', 1)")
    with pytest.raises(SchemaTooNew, match="9999"):
        migrate(connection, NOW)
    assert not connection.in_transaction
    connection.close()


def test_a_migration_that_breaks_leaves_nothing_of_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = fresh(tmp_path / "a.db")
    before = schema(connection)
    broken = Migration(9000, "broken", "create table one (x);\ncreate table one (x);\n")
    monkeypatch.setattr(room, "migrations", lambda _: [*migrations("sqlite"), broken])
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate(connection, NOW)
    assert schema(connection) == before
    connection.close()


def test_a_statement_without_its_semicolon_is_an_error_and_not_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(tmp_path / "a.db")
    cut = Migration(1, "cut", "create table one (x);\n-- the end is missing\ncreate table two (x)\n")
    monkeypatch.setattr(room, "migrations", lambda _: [cut])
    with pytest.raises(ValueError, match="create table two"):
        migrate(connection, NOW)
    assert schema(connection) == []
    connection.close()


def test_two_servers_that_start_at_once_apply_everything_once(tmp_path: Path) -> None:
    applied_by: list[list[int]] = []
    connections = [connect(tmp_path / "a.db") for _ in range(4)]
    threads = [
        threading.Thread(target=lambda each=each: applied_by.append(migrate(each, NOW)))
        for each in connections
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    everything = [migration.number for migration in migrations("sqlite")]
    assert sorted(applied_by) == [[], [], [], everything]
    for connection in connections:
        connection.close()
