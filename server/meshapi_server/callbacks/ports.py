"""What the callback rooms speak of, and what they need from a store. Values only."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol
from urllib.parse import urlsplit

from msgspec import Struct

from meshapi_server.tasks.task import Task

SUCCEEDED, FAILED, TEST = "video.generation.succeeded", "video.generation.failed", "webhook.test"
EVENT_TYPES = (SUCCEEDED, FAILED)
"""What an endpoint can ask for; a test is sent whatever it asked for."""
MOST_ENDPOINTS = 20  # of one owner: an end of a task is told so often at most

DeliveryStatus = Literal["pending", "delivered", "dead"]


class Event(Struct, frozen=True, kw_only=True):
    """A task has ended. ``task`` is what callers could see of it then; times are milliseconds.

    Ids of one owner ascend in the order in which the ends were stored.
    """

    id: str
    owner: str
    type: str
    task_id: str
    created_at: int
    task: Task


class Endpoint(Struct, frozen=True, kw_only=True):
    """A URL that an owner registered for all events, or for those of the types in ``events``."""

    id: str
    owner: str
    url: str
    description: str
    enabled: bool
    events: tuple[str, ...]
    created_at: int
    updated_at: int

    def wants(self, event_type: str) -> bool:
        """Whether events of this type are sent there."""
        return self.enabled and (not self.events or event_type in self.events)


class SigningSecret(Struct, frozen=True, kw_only=True):
    """What deliveries are signed with. ``expires_at`` is set once another one took its place."""

    value: bytes
    created_at: int
    expires_at: int | None = None

    def __repr__(self) -> str:
        return f"SigningSecret(created_at={self.created_at}, expires_at={self.expires_at})"


class Delivery(Struct, frozen=True, kw_only=True):
    """One event on its way to one destination.

    ``endpoint_id`` None means the URL of the single task. ``attempt`` counts every attempt and fences its
    saves; ``tries`` counts those since it was made, or asked for again, and decides when the next one is due.
    ``http_status`` and ``error`` are those of the last attempt that ended.
    """

    id: str
    owner: str
    event_id: str
    type: str
    task_id: str
    endpoint_id: str | None
    url: str
    host: str
    status: DeliveryStatus
    created_at: int
    due: int | None
    attempt: int
    tries: int
    worker: str | None
    ended_at: int | None
    http_status: int | None
    error: str | None


class DeliveryAttempt(Struct, frozen=True, kw_only=True):
    """One POST. ``ended_at`` None: it goes on, or its worker died and nobody knows whether it arrived."""

    delivery_id: str
    attempt: int
    started_at: int
    ended_at: int | None
    http_status: int | None
    error: str | None


class Parcel(Struct, frozen=True, kw_only=True):
    """A claimed delivery with all that it takes to send it.

    ``endpoint`` None: it was deleted, or there never was one (``delivery.endpoint_id`` tells). ``secrets``
    is empty as long as the owner has none.
    """

    delivery: Delivery
    task: Task
    endpoint: Endpoint | None
    secrets: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"Parcel({self.delivery.id})"


class Result(Struct, frozen=True, kw_only=True):
    """How an attempt went, and what follows. ``due`` is the next attempt, for as long as it is pending."""

    delivery_id: str
    attempt: int
    status: DeliveryStatus
    ended_at: int
    due: int | None = None
    http_status: int | None = None
    error: str | None = None


class Claiming(Struct, frozen=True, kw_only=True):
    """A worker's wish for deliveries: ``limit`` in all, within what each host and each owner has left.

    The mappings hold how many of whose are under way already.
    """

    worker: str
    now: int
    lease_until: int
    limit: int
    per_host: int
    per_owner: int
    hosts: Mapping[str, int]
    owners: Mapping[str, int]


class DeliveryQuery(Struct, frozen=True, kw_only=True):
    """Which deliveries to list, newest first; ``after`` is the last one of the page before."""

    limit: int = 50
    after: str | None = None
    status: str | None = None
    endpoint_id: str | None = None
    event_id: str | None = None
    task_id: str | None = None


class CourierStore(Protocol):
    """What a delivery worker needs. Every method that writes has committed when it returns."""

    async def claim(self, wish: Claiming) -> Sequence[Parcel]:
        """Take due deliveries under a lease, and note that an attempt at each begins."""
        ...

    async def finish(self, result: Result) -> bool:
        """Store how an attempt went; False when the delivery is no longer this attempt's."""
        ...

    async def ensure_secret(self, holder: str, fresh: bytes, now: int) -> Sequence[SigningSecret]:
        """The holder's valid secrets, current first; ``fresh`` becomes it when there is none yet."""
        ...

    async def switch_off(self, endpoint_id: str, url: str, now: int) -> None:
        """Disable an endpoint that is gone, unless it has another URL by now."""
        ...

    async def free_lost(self, now: int | None) -> int:
        """Free deliveries whose lease is over (None: every lease); how many there were."""
        ...

    async def free(self, deliveries: Sequence[Delivery]) -> None:
        """Give claimed deliveries back, to be tried again at once."""
        ...


class CallbackStore(CourierStore, Protocol):
    """Endpoints, secrets, the delivery log and the feed, besides what the worker needs."""

    async def events(self, owner: str, after: str, limit: int) -> Sequence[Event]:
        """The owner's events behind ``after``, oldest first."""
        ...

    async def add_event(self, event: Event, destinations: Sequence[Endpoint]) -> Sequence[Delivery]:
        """Store an event that is no part of the feed, and a delivery to each destination."""
        ...

    async def sweep(self, before: str, most: int) -> int:
        """Forget up to ``most`` events whose id is below ``before``, with their deliveries."""
        ...

    async def add_endpoint(self, endpoint: Endpoint, secret: bytes) -> bool:
        """Store an endpoint with its secret; False when its owner has MOST_ENDPOINTS already."""
        ...

    async def endpoint(self, owner: str, endpoint_id: str) -> Endpoint | None:
        """The owner's endpoint."""
        ...

    async def endpoints(self, owner: str) -> Sequence[Endpoint]:
        """All endpoints of the owner, oldest first."""
        ...

    async def save_endpoint(self, endpoint: Endpoint) -> None:
        """Store a changed endpoint."""
        ...

    async def delete_endpoint(self, owner: str, endpoint_id: str, now: int) -> bool:
        """Remove the owner's endpoint and its secrets; what is on its way there is dead. False: none such."""
        ...

    async def secrets(self, holder: str, now: int) -> Sequence[SigningSecret]:
        """The holder's valid secrets, current first."""
        ...

    async def rotate(self, holder: str, fresh: bytes, now: int, old_until: int) -> Sequence[SigningSecret]:
        """Make ``fresh`` the current secret; the one before is valid until ``old_until``, others no more."""
        ...

    async def deliveries(self, owner: str, query: DeliveryQuery) -> Sequence[Delivery]:
        """The owner's deliveries, newest first, one more than asked for if there are more."""
        ...

    async def delivery(self, owner: str, delivery_id: str) -> Delivery | None:
        """The owner's delivery."""
        ...

    async def attempts(self, deliveries: Sequence[Delivery]) -> Mapping[str, Sequence[DeliveryAttempt]]:
        """Every attempt at these deliveries, oldest first, by the delivery's id."""
        ...

    async def redeliver(self, owner: str, delivery_id: str, now: int) -> Delivery | None:
        """Have it sent (again) now, with all tries before it; one under way is left as it is."""
        ...


def place_of(url: str) -> str:
    """Host and port of a URL, as one word: what is bounded together."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{(parts.hostname or '').lower().rstrip('.')}:{port}"
