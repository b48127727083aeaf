"""What an owner can do with callbacks: endpoints, secrets, the delivery log, the feed. No HTTP, no SQL."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from meshapi_server.tasks import ids
from meshapi_server.tasks.clock import Clock
from meshapi_server.tasks.errors import Detail, RequestInvalid, TaskMissing, TaskRefusal
from meshapi_server.tasks.spec import Spec
from meshapi_server.tasks.states import Status
from meshapi_server.tasks.task import Task

from .ports import (
    EVENT_TYPES,
    MOST_ENDPOINTS,
    TEST,
    CallbackStore,
    Delivery,
    DeliveryAttempt,
    DeliveryQuery,
    Endpoint,
    Event,
    SigningSecret,
)
from .signing import SECRET_BYTES

OLD_SECRET_VALID = 24 * 3600 * 1000  # ms after a rotation
KEPT = 30 * 24 * 3600 * 1000  # ms that an event and its deliveries are kept
_SWEPT_AT_ONCE = 500
_TEST_TASK = "task_00000000000000000000000000"

Problem = Callable[[str], str | None]
"""What is wrong with a destination, in words for the caller; None if nothing."""


class TooManyEndpoints(TaskRefusal):
    """The owner has as many endpoints as it may have."""


class Tried(Struct, frozen=True, kw_only=True):
    """A delivery and every attempt at it, oldest first."""

    delivery: Delivery
    attempts: Sequence[DeliveryAttempt]


class Webhooks:
    """Everything here is of one owner: what is somebody else's does not exist. Raises TaskMissing for it."""

    def __init__(
        self, store: CallbackStore, problem: Problem, clock: Clock, ring: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._problem = problem
        self._clock = clock
        self._ring = ring

    async def create(
        self, owner: str, url: str, *, description: str = "", events: Sequence[str] = (), enabled: bool = True
    ) -> tuple[Endpoint, SigningSecret]:
        """Register a URL; its secret is shown this once. Raises RequestInvalid, TooManyEndpoints."""
        self._check(url, events)
        now = self._clock()
        endpoint = Endpoint(
            id=f"whe_{ids.ulid()}",
            owner=owner,
            url=url,
            description=description,
            enabled=enabled,
            events=_types(events),
            created_at=now,
            updated_at=now,
        )
        value = secrets.token_bytes(SECRET_BYTES)
        if not await self._store.add_endpoint(endpoint, value):
            raise TooManyEndpoints(f"There are {MOST_ENDPOINTS} endpoints already; delete one first.")
        return endpoint, SigningSecret(value=value, created_at=now)

    async def endpoints(self, owner: str) -> Sequence[Endpoint]:
        """All endpoints, oldest first."""
        return await self._store.endpoints(owner)

    async def endpoint(self, owner: str, endpoint_id: str) -> Endpoint:
        """One endpoint."""
        found = await self._store.endpoint(owner, endpoint_id)
        if found is None:
            raise TaskMissing(f"No webhook endpoint {endpoint_id[:80]!r} was found.")
        return found

    async def update(self, owner: str, endpoint_id: str, changes: Mapping[str, Any]) -> Endpoint:
        """Change ``url``, ``description``, ``events`` or ``enabled``. What is on its way keeps its URL."""
        endpoint = await self.endpoint(owner, endpoint_id)
        self._check(changes.get("url"), changes.get("events", ()))
        fields = {**changes, "updated_at": self._clock()}
        if "events" in fields:
            fields["events"] = _types(fields["events"])
        changed = replace(endpoint, **fields)
        await self._store.save_endpoint(changed)
        return changed

    async def delete(self, owner: str, endpoint_id: str) -> None:
        """Remove an endpoint; what is on its way there is dead."""
        if not await self._store.delete_endpoint(owner, endpoint_id, self._clock()):
            raise TaskMissing(f"No webhook endpoint {endpoint_id[:80]!r} was found.")

    async def rotate(self, owner: str, endpoint_id: str) -> tuple[Endpoint, Sequence[SigningSecret]]:
        """A new secret of an endpoint; the one before is valid for a day more. Current first."""
        endpoint = await self.endpoint(owner, endpoint_id)
        return endpoint, await self._rotate(endpoint.id)

    async def test(self, owner: str, endpoint_id: str) -> Tried:
        """Send a test event to an endpoint: a task that never was, in a real delivery."""
        endpoint = await self.endpoint(owner, endpoint_id)
        event = _test_event(owner, self._clock())
        (delivery,) = await self._store.add_event(event, [endpoint])
        self._ring()
        return Tried(delivery=delivery, attempts=())

    async def secret(self, owner: str) -> Sequence[SigningSecret]:
        """What signs the URLs of single tasks; made when it is first needed. Current first."""
        fresh = secrets.token_bytes(SECRET_BYTES)
        return await self._store.ensure_secret(owner, fresh, self._clock())

    async def rotate_secret(self, owner: str) -> Sequence[SigningSecret]:
        """A new one; the one before is valid for a day more. Current first."""
        return await self._rotate(owner)

    async def deliveries(self, owner: str, query: DeliveryQuery) -> tuple[Sequence[Tried], bool]:
        """A page of the delivery log, newest first, and whether there is more."""
        found = await self._store.deliveries(owner, query)
        page = found[: query.limit]
        return await self._with_attempts(page), len(found) > query.limit

    async def delivery(self, owner: str, delivery_id: str) -> Tried:
        """One delivery."""
        found = await self._store.delivery(owner, delivery_id)
        if found is None:
            raise _no_delivery(delivery_id)
        return (await self._with_attempts([found]))[0]

    async def redeliver(self, owner: str, delivery_id: str) -> Tried:
        """Have a delivery made now, with all its retries ahead; one under way is left alone."""
        found = await self._store.redeliver(owner, delivery_id, self._clock())
        if found is None:
            raise _no_delivery(delivery_id)
        self._ring()
        return (await self._with_attempts([found]))[0]

    async def events(self, owner: str, after: str, limit: int) -> tuple[Sequence[Event], bool]:
        """The events behind ``after``, oldest first, and whether there are more."""
        found = await self._store.events(owner, after, limit + 1)
        return found[:limit], len(found) > limit

    async def sweep(self) -> int:
        """Forget events that are older than KEPT, with their deliveries; how many there were."""
        oldest = f"evt_{ids.crockford((self._clock() - KEPT) << 80, 26)}"
        swept = 0
        while forgotten := await self._store.sweep(oldest, _SWEPT_AT_ONCE):
            swept += forgotten
        return swept

    def url_problem(self, url: str) -> str | None:
        """What is wrong with a destination, in words for the caller."""
        return self._problem(url)

    async def _rotate(self, holder: str) -> Sequence[SigningSecret]:
        now = self._clock()
        return await self._store.rotate(
            holder, secrets.token_bytes(SECRET_BYTES), now, now + OLD_SECRET_VALID
        )

    async def _with_attempts(self, deliveries: Sequence[Delivery]) -> list[Tried]:
        attempts = await self._store.attempts(deliveries) if deliveries else {}
        return [Tried(delivery=each, attempts=attempts[each.id]) for each in deliveries]

    def _check(self, url: str | None, events: Sequence[str]) -> None:
        problem = None if url is None else self._problem(url)
        if problem is not None:
            raise RequestInvalid((Detail("value_error", ("body", "url"), problem),))
        for index, each in enumerate(events):
            if each not in EVENT_TYPES:
                message = f"{each[:60]!r} is no type of event; use {' or '.join(EVENT_TYPES)}"
                raise RequestInvalid((Detail("value_error", ("body", "events", index), message),))


def _types(events: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(events))


def _no_delivery(delivery_id: str) -> TaskMissing:
    return TaskMissing(f"No webhook delivery {delivery_id[:80]!r} was found.")


def _test_event(owner: str, now: int) -> Event:
    task = Task(
        id=_TEST_TASK,
        owner=owner,
        request_id=ids.request_id(),
        requested_model="mesh/diorama-1",
        model="mesh/diorama-1",
        upstream="mesh",
        status=Status.SUCCEEDED,
        version=1,
        created_at=now,
        updated_at=now,
        completed_at=now,
        expires_at=now,
        progress=1.0,
        spec=Spec(model="mesh/diorama-1", content=(), metadata={"webhook": "test"}),
    )
    return Event(id=f"evt_{ids.ulid()}", owner=owner, type=TEST, task_id=task.id, created_at=now, task=task)
