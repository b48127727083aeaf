"""Short words for what the suites of the store do over and over."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from meshapi_server.store.sqlite import SqliteStore
from meshapi_server.tasks.ports import Idempotency
from meshapi_server.tasks.states import Event
from meshapi_server.tasks.task import Claim, Task

from .. import samples
from ..samples import REMOTE, HandClock

Accept = Callable[..., Awaitable[Task]]
Take = Callable[..., Awaitable[list[Claim]]]


@pytest.fixture
def accept(store: SqliteStore) -> Accept:
    """Store a fresh task; keyword arguments replace its columns."""

    async def create(
        *, key: Idempotency | None = None, response: bytes = b"{}", due: int = samples.NOW, **fields: Any
    ) -> Task:
        task = samples.task(**fields)
        await store.create(task, samples.schedule_of(task, due=due), response, key)
        return task

    return create


@pytest.fixture
def take(store: SqliteStore, clock: HandClock) -> Take:
    """Claim due tasks for a lease of 30 seconds."""

    async def claim(
        event: Event = Event.CLAIM_SUBMIT, *, upstream: str = REMOTE, limit: int = 16, worker: str = "w"
    ) -> list[Claim]:
        return await store.claim(
            event,
            upstreams=(upstream,),
            worker=worker,
            now=clock(),
            lease_until=clock() + 30_000,
            limit=limit,
        )

    return claim
