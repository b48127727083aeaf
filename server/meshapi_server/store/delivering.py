"""The plans of deliveries: claims within what each host and owner has left, and how attempts went."""

import random
from collections.abc import Iterable, Sequence

from msgspec import Struct

from meshapi_server.callbacks.ports import Claiming, Delivery, Parcel, Result, SigningSecret

from .callback_rows import read_delivery, read_endpoint, read_secret, read_snapshot, result_row
from .plan import Plan, Read, Write, read

AT_ONCE = 500  # rows that one transaction of the housekeeping takes
_EVER = 1 << 62  # ms; when every lease is over


class Candidate(Struct, frozen=True):
    """A delivery that could be taken."""

    delivery_id: str
    owner: str


def choose(wish: Claiming, *, lock: bool) -> Plan[list[Candidate]]:
    """What may be taken now. The hosts come in no fixed order, so that none is always the last one."""
    rows = yield from read("due_hosts", now=wish.now)
    hosts = [host for (host,) in rows]
    random.shuffle(hosts)
    owners = dict(wish.owners)
    taken: list[Candidate] = []
    for host in hosts:
        room = min(wish.per_host - wish.hosts.get(host, 0), wish.limit - len(taken))
        if room <= 0:
            continue
        values = {"host": host, "now": wish.now, "limit": room}
        due = yield Read("due_deliveries", values, lock=lock)
        for delivery_id, owner in due:
            if owners.get(owner, 0) < wish.per_owner:
                owners[owner] = owners.get(owner, 0) + 1
                taken.append(Candidate(delivery_id, owner))
    return taken


def claim(wish: Claiming) -> Plan[list[Parcel]]:
    """Choose, take what was chosen, and bring along all that it takes to send it."""
    taken = yield from choose(wish, lock=True)
    if not taken:
        return []
    ids = [each.delivery_id for each in taken]
    held = {"worker": wish.worker, "lease_until": wish.lease_until}
    yield Write("claim_delivery", [{"id": each, **held} for each in ids])
    rows = yield from read("get_deliveries", ids=ids)
    deliveries = [read_delivery(row) for row in rows]
    yield Write(
        "begin_delivery_attempt",
        [{"delivery_id": each.id, "attempt": each.attempt, "started_at": wish.now} for each in deliveries],
    )
    return (yield from _pack(deliveries, wish.now))


def finish(results: Sequence[Result]) -> Plan[list[bool]]:
    """Store how attempts went; False for each whose delivery has been taken over, or is gone."""
    wanted = sorted({result.delivery_id for result in results})
    rows = yield from read("get_deliveries", ids=wanted)
    current = {each.id: each for each in map(read_delivery, rows)}
    ours = [
        (found := current.get(result.delivery_id)) is not None
        and found.attempt == result.attempt
        and found.worker is not None
        for result in results
    ]
    changes = [result_row(result) for result in sorted(results, key=lambda result: result.delivery_id)]
    yield Write("save_delivery", [_only(row, _SAVED) for row in changes])
    yield Write("end_delivery_attempt", [_only(row, _ENDED) for row in changes])
    return ours


def free_lost(now: int | None) -> Plan[int]:
    """Free some of the leases that are over."""
    rows = yield _lost(now, AT_ONCE, lock=True)
    if rows:
        yield Write("free_delivery", sorted_rows(rows))
    return len(rows)


def peek_lost(now: int | None) -> Plan[bool]:
    """Whether a lease is over."""
    return bool((yield _lost(now, 1, lock=False)))


def free(deliveries: Sequence[Delivery]) -> Plan[None]:
    """Give claimed deliveries back."""
    yield Write("free_delivery", sorted_rows((each.id, each.attempt) for each in deliveries))


def sorted_rows(rows: Iterable[Sequence[object]]) -> list[dict[str, object]]:
    """The rows in the order in which every transaction locks them."""
    return sorted(({"id": row[0], "attempt": row[1]} for row in rows), key=lambda row: str(row["id"]))


def _lost(now: int | None, most: int, *, lock: bool) -> Read:
    return Read("lost_deliveries", {"now": _EVER if now is None else now, "most": most}, lock=lock)


def _pack(deliveries: Sequence[Delivery], now: int) -> Plan[list[Parcel]]:
    events = sorted({each.event_id for each in deliveries})
    rows = yield from read("get_snapshots", ids=events)
    tasks = {event_id: read_snapshot(task) for event_id, task in rows}
    named = sorted({each.endpoint_id for each in deliveries if each.endpoint_id is not None})
    rows = (yield from read("get_endpoints", ids=named)) if named else []
    endpoints = {endpoint.id: endpoint for endpoint in map(read_endpoint, rows)}
    secrets = yield from valid_secrets(sorted({holder_of(each) for each in deliveries}), now)
    return [
        Parcel(
            delivery=each,
            task=tasks[each.event_id],
            endpoint=endpoints.get(each.endpoint_id or ""),
            secrets=tuple(secret.value for secret in secrets.get(holder_of(each), ())),
        )
        for each in deliveries
    ]


def valid_secrets(holders: Sequence[str], now: int) -> Plan[dict[str, list[SigningSecret]]]:
    """The valid secrets of each holder, the current one first."""
    rows = yield from read("get_webhook_secrets", ids=list(holders), now=now)
    found: dict[str, list[SigningSecret]] = {}
    for holder, secret in map(read_secret, rows):
        found.setdefault(holder, []).append(secret)
    for each in found.values():
        each.sort(key=lambda secret: secret.expires_at is not None)
    return found


def holder_of(delivery: Delivery) -> str:
    """Whose secret signs a delivery."""
    return delivery.endpoint_id or delivery.owner


_SAVED = ("id", "attempt", "status", "due", "ended_at", "http_status", "error")
_ENDED = ("delivery_id", "attempt", "ended_at", "http_status", "error")


def _only(row: dict[str, object], names: Sequence[str]) -> dict[str, object]:
    return {name: row[name] for name in names}
