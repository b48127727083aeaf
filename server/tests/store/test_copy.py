"""`meshapi db`: everything moves from one database to another, in either direction, or nothing does."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meshapi_server.accounts.keys import Keys
from meshapi_server.datadir import DataDirectory
from meshapi_server.store.copying import CopyRefused, copy
from meshapi_server.store.migrate import migrations
from meshapi_server.store.planned import PlannedStore
from meshapi_server.store.postgres import PostgresStore
from meshapi_server.store.postgres_tables import PostgresTables
from meshapi_server.store.sqlite import SqliteStore
from meshapi_server.store.sqlite_tables import SqliteTables
from meshapi_server.store.stored_keys import StoredKeys
from meshapi_server.store.tables import TABLES, Tables
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.ports import Query
from meshapi_server.tasks.states import Event, State

from .. import samples
from ..samples import LOCAL, NOW, OWNER, REMOTE, HandClock
from .conftest import PostgresServer

MESHAPI = str(Path(sys.executable).with_name("meshapi"))


def meshapi(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MESHAPI_")}
    return subprocess.run(
        [MESHAPI, "db", *arguments], capture_output=True, text=True, check=False, env=environment
    )


@pytest.fixture
def laptop(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'laptop' / 'meshapi.db'}"


@pytest.fixture
def cluster(postgres: PostgresServer) -> Iterator[str]:
    """An empty PostgreSQL database, without any table."""
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)


def opened(url: str, clock: HandClock) -> SqliteStore | PostgresStore:
    path = url.removeprefix("sqlite:///")
    return PostgresStore(url) if path == url else SqliteStore(Path(path), clock)


async def tables(url: str) -> Tables:
    path = url.removeprefix("sqlite:///")
    if path == url:
        return await PostgresTables.connect(url)
    Path(path).parent.mkdir(exist_ok=True)
    return SqliteTables(Path(path), HandClock())


async def fill(store: PlannedStore, clock: HandClock) -> None:
    """Tasks in every state, keys, secrets, limits, inputs, an idempotency record, a timeline."""
    keys = Keys(StoredKeys(store), clock)
    await keys.create("ci", owner=OWNER, concurrency=9)
    await StoredKeys(store).secret("links", bytes(range(32)))
    await store.set_pools([*samples.pools(REMOTE, 20), *samples.pools(LOCAL, 20)])
    await store.pause("polls:other", NOW + 7)
    states = sorted(State, key=lambda state: state is State.QUEUED)  # last, or another one's claim takes it
    for number, state in enumerate(states):
        upstream = LOCAL if state is State.RENDERING else REMOTE
        spec = samples.spec(
            priority=9 - number, metadata={"state": state, "sign": "山 \U0001f30a"}, seed=2**32 - 1
        )
        task = samples.task(spec=spec, upstream=upstream, key_id="key_1")
        await store.create(
            task,
            samples.schedule_of(task, lane="key:key_1"),
            b"\x00\xff answer",
            samples.idempotency(f"key-{number}"),
            inputs={1: "data:image/png;base64," + "A" * 3000},
        )
        await bring(store, task.id, state, clock)


async def bring(store: PlannedStore, task_id: str, state: State, clock: HandClock) -> None:
    """Move a queued task on, the way a worker does."""
    render = state is State.RENDERING
    event = Event.CLAIM_RENDER if render else Event.CLAIM_SUBMIT

    async def claim(kind: Event) -> int:
        taken = await store.claim(
            kind,
            upstreams=(LOCAL if render else REMOTE,),
            worker="w",
            now=clock(),
            lease_until=clock() + 30_000,
            limit=50,
        )
        (mine,) = [each for each in taken if each.task.id == task_id]
        return mine.schedule.attempt

    async def step(kind: Event, attempt: int, **fields: Any) -> None:
        move = Step(event=kind, attempt=attempt, submission=1, due=clock(), **fields)
        assert await store.step(task_id, move, clock())

    if state is State.QUEUED:
        return
    attempt = await claim(event)
    if state is State.UNKNOWN:
        await step(Event.LEASE_LOST, attempt)
    elif not (render or state is State.SENDING):
        await step(Event.ACCEPTED, attempt, upstream_ref="up")
    if state is State.CANCELLING:
        assert await store.cancel(OWNER, task_id, clock())
    elif state in {State.FETCHING, State.DONE}:
        await step(Event.READY, await claim(Event.CLAIM_POLL), progress=0.7)
        if state is State.DONE:
            await step(Event.STORED, await claim(Event.CLAIM_FETCH), outcome=samples.outcome())


async def contents(store: PlannedStore) -> dict[str, Any]:
    """All that the port shows of a store's tasks, and its keys."""
    page = await store.page(OWNER, Query(limit=200))
    known = {
        task.id: (
            task,
            await store.schedule(task.id),
            await store.timeline(task.id),
            await store.inputs(task.id),
        )
        for task in page.tasks
    }
    return {
        "total": page.total,
        "tasks": known,
        "states": await store.count_states(),
        "running": (await store.page(OWNER, Query(statuses=("running",)))).total,
        "found": (await store.page(OWNER, Query(metadata=(("sign", "山 \U0001f30a"),)))).total,
        "keys": await StoredKeys(store).list_keys(None, "", 100),
        "secret": await StoredKeys(store).secret("links", b"fresh"),
        "replays": [await store.replay(OWNER, samples.idempotency(f"key-{number}")) for number in range(8)],
    }


async def look(url: str, clock: HandClock) -> dict[str, Any]:
    store = opened(url, clock)
    await store.open()
    try:
        return await contents(store)
    finally:
        await store.close()


async def filled(url: str, clock: HandClock) -> dict[str, Any]:
    store = opened(url, clock)
    await store.open()
    await fill(store, clock)
    await store.close()
    found = await look(url, clock)
    assert set(found["states"]) == set(State) - {State.DONE}
    assert found["total"] == len(State)
    return found


@pytest.mark.parametrize("forth", [True, False], ids=["to-postgres", "to-sqlite"])
async def test_tasks_in_every_state_arrive_as_they_were(
    laptop: str, cluster: str, clock: HandClock, forth: bool
) -> None:
    source, target = (laptop, cluster) if forth else (cluster, laptop)
    before = await filled(source, clock)
    done = meshapi("copy", source, target)
    assert done.returncode == 0, done.stderr
    assert f"{len(State)} tasks" in done.stdout
    assert await look(target, clock) == before
    assert await look(source, clock) == before


async def test_what_arrived_can_be_worked_on(laptop: str, cluster: str, clock: HandClock) -> None:
    await filled(laptop, clock)
    assert meshapi("copy", laptop, cluster).returncode == 0
    store = opened(cluster, clock)
    await store.open()
    try:
        freed = await store.reap(NOW + 30_001, reconcile_within=60_000)
        assert {task.upstream for task in freed} == {LOCAL}
        pool = "select used from pool where name = 'key:key_1'"
        ((used,),) = await store._read(lambda database: database.fetch(pool))
        assert (
            used == len(State) - 3
        )  # all but the queued one, the one that was given back, and the ended one
        assert await store.expire(NOW + samples.EXPIRY + 1)
    finally:
        await store.close()


async def test_a_database_that_holds_anything_is_no_target(
    laptop: str, cluster: str, clock: HandClock
) -> None:
    await filled(laptop, clock)
    before = await filled(cluster, clock)
    refused = meshapi("copy", laptop, cluster)
    assert refused.returncode == 1
    assert "the target is not empty: api_key (1)" in refused.stderr
    assert await look(cluster, clock) == before


async def test_a_file_that_a_server_works_on_is_not_copied(
    laptop: str, cluster: str, clock: HandClock
) -> None:
    await filled(laptop, clock)
    with DataDirectory(Path(laptop.removeprefix("sqlite:///")).parent):
        refused = meshapi("copy", laptop, cluster)
    assert refused.returncode == 1
    assert "another server works on" in refused.stderr


async def test_a_postgres_that_a_server_works_on_is_neither_source_nor_target(
    laptop: str, cluster: str, clock: HandClock
) -> None:
    store = opened(cluster, clock)
    await store.open()
    try:
        for source, target in ((cluster, laptop), (laptop, cluster)):
            await (await tables(laptop)).close()
            refused = meshapi("copy", source, target)
            assert refused.returncode == 1
            assert "a server works on postgresql://meshapi:…@" in refused.stderr
            assert cluster not in refused.stderr
    finally:
        await store.close()


async def test_no_server_starts_on_a_database_while_it_is_copied(cluster: str, clock: HandClock) -> None:
    copying = await PostgresTables.connect(cluster)
    assert await copying.alone()
    store = opened(cluster, clock)
    with pytest.raises(OSError, match="is being copied"):
        await store.open()
    await copying.close()
    await store.close()
    again = opened(cluster, clock)
    await again.open()
    await again.close()


class Leaky(SqliteTables):
    """Loses a row on the way."""

    async def write(self, table: str, columns: Any, rows: Any) -> None:
        await super().write(table, columns, rows[1:] if table == "task_input" else rows)


async def test_a_row_that_does_not_arrive_undoes_the_whole_copy(
    laptop: str, cluster: str, clock: HandClock, tmp_path: Path
) -> None:
    await filled(laptop, clock)
    source, target = await tables(laptop), Leaky(tmp_path / "leaky.db", clock)
    with pytest.raises(CopyRefused, match=r"task_input: 7 of 8"):
        await copy(source, "sqlite", target, lambda *_: None)
    await source.close()
    await target.close()
    database = sqlite3.connect(tmp_path / "leaky.db")
    assert [database.execute(f"select count(*) from {table}").fetchone() for table in TABLES] == [(0,)] * len(
        TABLES
    )
    database.close()


async def test_a_source_of_an_older_schema_is_refused(laptop: str, tmp_path: Path) -> None:
    source = await tables(laptop)
    target = SqliteTables(tmp_path / "target.db", HandClock())
    with pytest.raises(CopyRefused, match="meshapi db migrate"):
        await copy(source, "sqlite", target, lambda *_: None)
    await source.close()
    await target.close()


async def test_progress_goes_from_nothing_to_every_row(laptop: str, clock: HandClock, tmp_path: Path) -> None:
    await filled(laptop, clock)
    seen: dict[str, list[tuple[int, int]]] = {}
    source, target = await tables(laptop), SqliteTables(tmp_path / "target.db", clock)

    def note(table: str, done: int, total: int) -> None:
        seen.setdefault(table, []).append((done, total))

    counts = await copy(source, "sqlite", target, note)
    await source.close()
    await target.close()
    assert list(seen) == list(TABLES)
    assert all(steps[0][0] == 0 and steps[-1] == (counts[table],) * 2 for table, steps in seen.items())


async def test_status_and_migrate_say_what_is_there(laptop: str, cluster: str, clock: HandClock) -> None:
    known = [migration.number for migration in migrations("sqlite")]
    for url in (laptop, cluster):
        first = meshapi("migrate", "--database", url, "--json")
        assert (first.returncode, json.loads(first.stdout)) == (0, {"applied": known}), first.stderr
        assert "up to date" in meshapi("migrate", "--database", url).stdout
        await filled(url, clock)
        status = json.loads(meshapi("status", "--database", url, "--json").stdout)
        assert (status["schema"], status["pending"], status["rows"]["task"]) == (known[-1], [], len(State))
        assert status["bytes"] > 10_000
        text = meshapi("status", "--database", url).stdout
        assert f"schema {known[-1]}, up to date" in text
        assert f"{len(State)}  task\n" in text


def test_a_url_that_leads_nowhere_is_explained_without_its_password(tmp_path: Path) -> None:
    for url, words in (
        ("postgresql://me:secret@127.0.0.1:1/x", "it cannot be reached"),
        ("mysql://me:secret@host/x", "is no database URL"),
        (f"sqlite:///{tmp_path}/none.db", "there is no file"),
    ):
        refused = meshapi("status", "--database", url)
        assert refused.returncode == 1
        assert words in refused.stderr
        assert "secret" not in refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_database_that_does_not_exist_is_explained(postgres: PostgresServer) -> None:
    refused = meshapi("status", "--database", postgres.url("no_such_database"))
    assert refused.returncode == 1
    assert "there is no such database; create it first" in refused.stderr
