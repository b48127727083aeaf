"""Migrations of a PostgreSQL database, and what is said of one that cannot be worked with."""

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

from meshapi_server.store import migrate as room
from meshapi_server.store.faults import DatabaseUnusable
from meshapi_server.store.migrate import Migration, SchemaTooNew, migrations
from meshapi_server.store.postgres import PostgresStore
from meshapi_server.store.postgres_connections import Connections
from meshapi_server.store.postgres_migrate import applied, migrate
from postgres_server import PostgresServer

TABLES = "select tablename from pg_tables where schemaname = 'public' order by 1"


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[str]:
    """A database without any table."""
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)


async def test_processes_that_start_at_once_apply_everything_once(empty: str) -> None:
    connections = [await Connections(empty).patient() for _ in range(4)]
    done = await asyncio.gather(*map(migrate, connections))
    everything = [migration.number for migration in migrations("postgres")]
    assert sorted(done) == [[], [], [], everything]
    assert await applied(connections[0]) == set(everything)
    for connection in connections:
        await connection.close()


async def test_stores_that_open_at_once_on_an_empty_database_all_work(empty: str) -> None:
    stores = [PostgresStore(empty) for _ in range(3)]
    await asyncio.gather(*(store.open() for store in stores))
    assert [await store.count_states() for store in stores] == [{}, {}, {}]
    for store in stores:
        await store.close()


async def test_a_migration_that_breaks_leaves_nothing_of_itself(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = await Connections(empty).patient()
    await migrate(connection)
    before = await connection.fetch(TABLES)
    broken = Migration(9000, "broken", "create table one (x int); create table one (x int);")
    monkeypatch.setattr(room, "migrations", lambda _: [*migrations("postgres"), broken])
    with pytest.raises(asyncpg.DuplicateTableError):
        await migrate(connection)
    assert await connection.fetch(TABLES) == before
    monkeypatch.undo()
    assert await migrate(connection) == []
    await connection.close()


async def test_a_database_of_a_newer_server_is_refused_and_left_alone(empty: str) -> None:
    connection = await Connections(empty).patient()
    await migrate(connection)
    await connection.execute("insert into schema_migration values (9999, 'future', 1)")
    with pytest.raises(SchemaTooNew, match="9999"):
        await migrate(connection)
    with pytest.raises(SchemaTooNew, match="9999"):
        await PostgresStore(empty).open()
    await connection.close()


async def refusal(url: str) -> str:
    with pytest.raises(DatabaseUnusable) as told:
        await PostgresStore(url).open()
    assert "secret" not in str(told.value)
    return str(told.value)


async def test_a_database_that_cannot_be_worked_with_is_explained(
    postgres: PostgresServer, empty: str
) -> None:
    assert "there is no such database" in await refusal(postgres.url("none"))
    assert "it cannot be reached" in await refusal("postgresql://me:secret@127.0.0.1:1/x")
    head, _, tail = empty.rpartition("@")
    assert "the password is wrong" in await refusal(f"{head.rpartition(':')[0]}:secret@{tail}")


async def test_a_user_who_may_not_create_tables_is_told_so(postgres: PostgresServer, empty: str) -> None:
    postgres.execute("create role guest login password 'secret'")
    name = empty.rpartition("/")[2]
    postgres.execute("revoke create on schema public from public", name)
    try:
        guest = f"postgresql://guest:secret@{empty.rpartition('@')[2]}"
        assert "may not create tables" in await refusal(guest)
    finally:
        postgres.execute("drop role guest")


async def test_a_database_in_another_encoding_is_refused(postgres: PostgresServer) -> None:
    postgres.execute("create database latin encoding latin1 template template0 lc_collate 'C' lc_ctype 'C'")
    try:
        assert "its encoding is LATIN1" in await refusal(postgres.url("latin"))
    finally:
        postgres.execute("drop database latin with (force)")
