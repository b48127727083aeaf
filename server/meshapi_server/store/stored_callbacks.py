"""Events, deliveries, endpoints and their secrets, in either dialect."""

from collections.abc import Mapping, Sequence

from meshapi_server.callbacks.ports import (
    MOST_ENDPOINTS,
    Claiming,
    Delivery,
    DeliveryAttempt,
    DeliveryQuery,
    Endpoint,
    Event,
    Parcel,
    Result,
    SigningSecret,
)
from meshapi_server.tasks import ids

from . import delivering
from .announcing import delivery_row, snapshot
from .callback_rows import endpoint_row, read_delivery, read_endpoint, read_event
from .coalescing import Coalescer
from .plan import Plan, Read, Write, read, write
from .planned import PlannedStore

_DELETED = "the endpoint was deleted"


class StoredCallbacks:
    """Implements CallbackStore (callbacks/ports.py)."""

    def __init__(self, store: PlannedStore) -> None:
        self._store = store
        self._finishing = Coalescer(self._finish)

    async def claim(self, wish: Claiming) -> Sequence[Parcel]:
        """Take due deliveries (see the port); begins a transaction only when there is something to take."""
        if not await self._store.look(lambda: delivering.choose(wish, lock=False)):
            return []
        return await self._store.change(lambda _: delivering.claim(wish))

    async def finish(self, result: Result) -> bool:
        """Store how an attempt went (see the port); those that end together share a transaction."""
        return await self._finishing.submit(result)

    async def _finish(self, results: Sequence[Result]) -> Sequence[bool]:
        return await self._store.change(lambda _: delivering.finish(results))

    async def ensure_secret(self, holder: str, fresh: bytes, now: int) -> Sequence[SigningSecret]:
        """The holder's valid secrets; ``fresh`` becomes the current one when there is none."""
        known = await self.secrets(holder, now)
        return known or await self._store.change(lambda _: _ensure(holder, fresh, now))

    async def free_lost(self, now: int | None) -> int:
        """Free leases that are over (see the port)."""
        freed = 0
        while await self._store.look(lambda: delivering.peek_lost(now)):
            freed += await self._store.change(lambda _: delivering.free_lost(now))
        return freed

    async def free(self, deliveries: Sequence[Delivery]) -> None:
        """Give claimed deliveries back."""
        if deliveries:
            await self._store.change(lambda _: delivering.free(deliveries))

    async def events(self, owner: str, after: str, limit: int) -> Sequence[Event]:
        """The owner's events behind ``after``, oldest first."""
        rows = await self._store.scan(lambda: read("list_events", owner=owner, after=after, limit=limit))
        return [read_event(row) for row in rows]

    async def add_event(self, event: Event, destinations: Sequence[Endpoint]) -> Sequence[Delivery]:
        """Store an event that is no part of the feed, and a delivery to each destination."""
        return await self._store.change(lambda _: _add_event(event, destinations))

    async def sweep(self, before: str, most: int) -> int:
        """Forget old events with their deliveries."""
        return len(await self._store.change(lambda _: read("sweep_events", before=before, most=most)))

    async def add_endpoint(self, endpoint: Endpoint, secret: bytes) -> bool:
        """Store an endpoint with its secret (see the port)."""
        return await self._store.change(lambda _: _add_endpoint(endpoint, secret))

    async def endpoint(self, owner: str, endpoint_id: str) -> Endpoint | None:
        """The owner's endpoint."""
        rows = await self._store.fetch("get_endpoint", id=endpoint_id, owner=owner)
        return read_endpoint(rows[0]) if rows else None

    async def endpoints(self, owner: str) -> Sequence[Endpoint]:
        """All endpoints of the owner, oldest first."""
        return [read_endpoint(row) for row in await self._store.fetch("list_endpoints", owner=owner)]

    async def save_endpoint(self, endpoint: Endpoint) -> None:
        """Store a changed endpoint."""
        row = endpoint_row(endpoint)
        row.pop("created_at")
        await self._store.change(lambda _: write("save_endpoint", row))

    async def switch_off(self, endpoint_id: str, url: str, now: int) -> None:
        """Disable an endpoint that is gone (see the port)."""
        row = {"id": endpoint_id, "url": url, "now": now}
        await self._store.change(lambda _: write("switch_off_endpoint", row))

    async def delete_endpoint(self, owner: str, endpoint_id: str, now: int) -> bool:
        """Remove an endpoint and its secrets; bury what is on its way there."""
        return await self._store.change(lambda _: _delete_endpoint(owner, endpoint_id, now))

    async def secrets(self, holder: str, now: int) -> Sequence[SigningSecret]:
        """The holder's valid secrets, current first."""
        found = await self._store.look(lambda: delivering.valid_secrets([holder], now))
        return found.get(holder, [])

    async def rotate(self, holder: str, fresh: bytes, now: int, old_until: int) -> Sequence[SigningSecret]:
        """Make ``fresh`` the current secret (see the port)."""
        return await self._store.change(lambda _: _rotate(holder, fresh, now, old_until))

    async def deliveries(self, owner: str, query: DeliveryQuery) -> Sequence[Delivery]:
        """The owner's deliveries, newest first, and one more if there are more."""
        clause, values = _where(owner, query)
        rows = await self._store.scan(lambda: _list(clause, {**values, "limit": query.limit + 1}))
        return [read_delivery(row) for row in rows]

    async def delivery(self, owner: str, delivery_id: str) -> Delivery | None:
        """The owner's delivery."""
        rows = await self._store.fetch("get_delivery", id=delivery_id, owner=owner)
        return read_delivery(rows[0]) if rows else None

    async def attempts(self, deliveries: Sequence[Delivery]) -> Mapping[str, Sequence[DeliveryAttempt]]:
        """Every attempt at these deliveries."""
        wanted = [each.id for each in deliveries]
        rows = await self._store.scan(lambda: read("get_delivery_attempts", ids=wanted))
        found: dict[str, list[DeliveryAttempt]] = {each: [] for each in wanted}
        for delivery_id, attempt, started_at, ended_at, http_status, error in rows:
            found[delivery_id].append(
                DeliveryAttempt(
                    delivery_id=delivery_id,
                    attempt=attempt,
                    started_at=started_at,
                    ended_at=ended_at,
                    http_status=http_status,
                    error=error,
                )
            )
        return found

    async def redeliver(self, owner: str, delivery_id: str, now: int) -> Delivery | None:
        """Have it sent now; one under way is left as it is."""
        return await self._store.change(lambda _: _redeliver(owner, delivery_id, now))


def _where(owner: str, query: DeliveryQuery) -> tuple[str, dict[str, object]]:
    wanted = {
        "status": query.status,
        "endpoint_id": query.endpoint_id,
        "event_id": query.event_id,
        "task_id": query.task_id,
    }
    values: dict[str, object] = {name: value for name, value in wanted.items() if value is not None}
    clauses = ["owner = :owner", *(f"{name} = :{name}" for name in values)]
    if query.after is not None:
        clauses.append("id < :after")
        values["after"] = query.after
    return " and ".join(clauses), {"owner": owner, **values}


def _list(clause: str, values: Mapping[str, object]) -> Plan[list[Sequence[object]]]:
    rows = yield Read("list_deliveries", values, {"filters": clause})
    return rows


def _add_event(event: Event, destinations: Sequence[Endpoint]) -> Plan[list[Delivery]]:
    row: dict[str, object] = {
        "id": event.id,
        "owner": event.owner,
        "type": event.type,
        "task_id": event.task_id,
        "created_at": event.created_at,
        "task": snapshot(event.task),
    }
    yield Write("insert_event", [row])
    deliveries = [delivery_row(row, each.url, each.id) for each in destinations]
    yield Write("insert_delivery", deliveries)
    rows = yield from read("get_deliveries", ids=[str(each["id"]) for each in deliveries])
    return [read_delivery(each) for each in rows]


def _add_endpoint(endpoint: Endpoint, secret: bytes) -> Plan[bool]:
    rows = yield from read("list_endpoints", owner=endpoint.owner)
    if len(rows) >= MOST_ENDPOINTS:
        return False
    yield Write("insert_endpoint", [endpoint_row(endpoint)])
    yield Write("insert_webhook_secret", [_secret_row(endpoint.id, secret, endpoint.created_at)])
    return True


def _delete_endpoint(owner: str, endpoint_id: str, now: int) -> Plan[bool]:
    rows = yield from read("delete_endpoint", id=endpoint_id, owner=owner)
    if not rows:
        return False
    yield Write("drop_webhook_secrets", [{"holder": endpoint_id}])
    yield Write("bury_deliveries", [{"endpoint_id": endpoint_id, "now": now, "error": _DELETED}])
    return True


def _ensure(holder: str, fresh: bytes, now: int) -> Plan[list[SigningSecret]]:
    yield Write("insert_webhook_secret", [_secret_row(holder, fresh, now)])
    found = yield from delivering.valid_secrets([holder], now)
    return found[holder]


def _rotate(holder: str, fresh: bytes, now: int, old_until: int) -> Plan[list[SigningSecret]]:
    yield Write("forget_webhook_secrets", [{"holder": holder}])
    yield Write("retire_webhook_secret", [{"holder": holder, "expires_at": old_until}])
    return (yield from _ensure(holder, fresh, now))


def _redeliver(owner: str, delivery_id: str, now: int) -> Plan[Delivery | None]:
    yield from read("redeliver", id=delivery_id, owner=owner, now=now)
    rows = yield from read("get_delivery", id=delivery_id, owner=owner)
    return read_delivery(rows[0]) if rows else None


def _secret_row(holder: str, value: bytes, now: int) -> dict[str, object]:
    return {"id": f"whs_{ids.ulid()}", "holder": holder, "value": value, "created_at": now}
