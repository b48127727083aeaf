"""Callbacks on a real store of either dialect, a real receiver, and a clock that only the test moves."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from meshapi_server.api.view import TaskView
from meshapi_server.api.webhook_bodies import callback_body
from meshapi_server.callbacks.courier import Courier, CourierSettings
from meshapi_server.callbacks.ports import Delivery, DeliveryQuery
from meshapi_server.callbacks.sender import Sender
from meshapi_server.callbacks.service import Webhooks
from meshapi_server.destinations.guard import Guard
from meshapi_server.files.links import Links
from meshapi_server.store.planned import PlannedStore
from meshapi_server.store.stored_callbacks import StoredCallbacks
from meshapi_server.tasks import ids
from meshapi_server.tasks.task import Task

from .. import samples
from ..samples import OWNER, HandClock
from ..store.conftest import another, database, postgres, pytest_generate_tests, sql, store
from .receiver import Receiver

__all__ = ["another", "database", "postgres", "pytest_generate_tests", "sql", "store"]

TIMEOUT = 0.5  # s that a destination may take here
End = Callable[..., Awaitable[Task]]
Hire = Callable[..., Courier]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver().listening() as listening:
        yield listening


@pytest.fixture
def callbacks(store: PlannedStore) -> StoredCallbacks:
    return StoredCallbacks(store)


@pytest.fixture
def webhooks(callbacks: StoredCallbacks, clock: HandClock) -> Webhooks:
    """The service, for which any destination will do."""
    return Webhooks(callbacks, lambda _: None, clock)


@pytest.fixture
async def hire(callbacks: StoredCallbacks, clock: HandClock) -> AsyncIterator[Hire]:
    """Makes delivery workers whose jitter is none."""
    links = Links("https://mesh.example", b"secret", clock)
    senders: list[Sender] = []

    def make(guard: Guard | None = None, *, timeout: float = TIMEOUT, **settings: Any) -> Courier:
        sender = Sender(guard or Guard(private=True, ports=None), timeout)
        senders.append(sender)
        return Courier(
            callbacks,
            sender.send,
            lambda task: callback_body(task, TaskView(links)),
            clock,
            CourierSettings(name=ids.ulid(), **settings),
            chance=lambda: 0.5,
        )

    yield make
    for sender in senders:
        await sender.close()


@pytest.fixture
def courier(hire: Hire) -> Courier:
    return hire()


@pytest.fixture
def end(store: PlannedStore, clock: HandClock) -> End:
    """A task of an owner that has just been cancelled: it ends in the transaction of its cancel."""

    async def ended(callback_url: str | None = None, owner: str = OWNER) -> Task:
        task = samples.task(
            owner=owner,
            created_at=clock(),
            spec=samples.spec(callback_url=callback_url, metadata={"order": "1"}),
        )
        await store.create(task, samples.schedule_of(task), b"{}", None)
        moved = await store.cancel(owner, task.id, clock())
        assert moved is not None
        assert moved.ended
        return moved

    return ended


async def deliver(courier: Courier) -> None:
    """Make every delivery that is due now, and wait for the answers."""
    while await courier.turn():
        await courier.settle()


async def log_of(webhooks: Webhooks, owner: str = OWNER, **filters: Any) -> list[Delivery]:
    """The delivery log, oldest first."""
    found, more = await webhooks.deliveries(owner, DeliveryQuery(limit=200, **filters))
    assert not more
    return [each.delivery for each in reversed(found)]
