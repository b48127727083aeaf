"""The suites of the store run over both dialects; and short words for what they do over and over."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from meshapi_server.store.planned import PlannedStore
from meshapi_server.store.postgres import PostgresStore
from meshapi_server.store.postgres_plans import rows_of
from meshapi_server.store.sqlite import SqliteStore
from meshapi_server.store.statements import positional
from meshapi_server.tasks.ports import Idempotency
from meshapi_server.tasks.states import Event
from meshapi_server.tasks.task import Claim, Task

from .. import samples
from ..samples import REMOTE, HandClock

sys.path.insert(0, str(Path(__file__).parents[3] / "tests"))

from postgres_server import PostgresServer, shared

Accept = Callable[..., Awaitable[Task]]
Take = Callable[..., Awaitable[list[Claim]]]
Another = Callable[[], Awaitable[PlannedStore]]
Sql = Callable[..., Awaitable[list[tuple[Any, ...]]]]


@pytest.fixture(scope="session")
def postgres() -> PostgresServer:
    """The PostgreSQL of this session."""
    return shared()


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database of the dialect that the test is run for: a URL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'meshapi.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.fresh_database()
    yield url
    server.drop_database(url)


@pytest.fixture
async def another(database: str, clock: HandClock) -> AsyncIterator[Another]:
    """Opens a further store on the same database, as another process would; closed at the end."""
    opened: list[SqliteStore | PostgresStore] = []

    async def open_one() -> PlannedStore:
        path = database.removeprefix("sqlite:///")
        store = PostgresStore(database) if path == database else SqliteStore(Path(path), clock)
        await store.open()
        opened.append(store)
        return store

    try:
        yield open_one
    finally:
        for store in opened:
            await store.close()


@pytest.fixture
async def store(another: Another) -> PlannedStore:
    """An empty store."""
    return await another()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that uses a store is run in each dialect, unless it names its own."""
    named = any(
        mark.name == "parametrize" and "database" in mark.args[0]
        for mark in metafunc.definition.iter_markers()
    )
    if "database" in metafunc.fixturenames and not named:
        metafunc.parametrize("database", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def sql(store: PlannedStore) -> Sql:
    """Run a statement with `:name` parameters beside the store's own; its rows, as tuples."""

    async def run(statement: str, **values: Any) -> list[tuple[Any, ...]]:
        if isinstance(store, SqliteStore):
            return await store.write(lambda database: database.execute(statement, values).fetchall())
        assert isinstance(store, PostgresStore)
        text = positional(statement)
        rows = await store._read(lambda database: database.fetch(text.text, *text.arguments(values)))
        return [tuple(row) for row in rows_of(rows)]

    return run


@pytest.fixture
def accept(store: PlannedStore) -> Accept:
    """Store a fresh task; keyword arguments replace its columns."""

    async def create(
        *,
        key: Idempotency | None = None,
        response: bytes = b"{}",
        due: int = samples.NOW,
        lane: str = "",
        **fields: Any,
    ) -> Task:
        task = samples.task(**fields)
        await store.create(task, samples.schedule_of(task, due=due, lane=lane), response, key)
        return task

    return create


@pytest.fixture
def take(store: PlannedStore, clock: HandClock) -> Take:
    """Claim due tasks for a lease of 30 seconds."""

    async def claim(
        event: Event = Event.CLAIM_SUBMIT,
        *,
        upstream: str = REMOTE,
        limit: int = 16,
        worker: str = "w",
        on: PlannedStore = store,
        looks_at_once: Mapping[str, int] = {},
    ) -> list[Claim]:
        return await on.claim(
            event,
            upstreams=(upstream,),
            worker=worker,
            now=clock(),
            lease_until=clock() + 30_000,
            limit=limit,
            looks_at_once=looks_at_once,
        )

    return claim
