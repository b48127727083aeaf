"""The plan that tells of tasks that end: an event and its deliveries, in the commit that ends them."""

import secrets
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from meshapi_server.callbacks.ports import FAILED, SUCCEEDED, Endpoint, place_of
from meshapi_server.tasks import ids
from meshapi_server.tasks.states import Status
from meshapi_server.tasks.task import Task

from .callback_rows import read_endpoint
from .plan import Plan, Read, Write, read

_PREFIX = "evt_"
_LEAP_BITS = 64  # of the 80 that a ULID has besides its time
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # of a ULID
_encode = msgspec.json.Encoder().encode


def announce(ended: Sequence[Task]) -> Plan[None]:
    """Store an event for each task, and a delivery for whoever is to be told of it."""
    if not ended:
        return
    by_owner: dict[str, list[Task]] = {}
    for task in ended:
        by_owner.setdefault(task.owner, []).append(task)
    owners = sorted(by_owner)  # every transaction takes their feeds in this order
    known = yield from read("endpoints_of", owners=owners)
    endpoints = [read_endpoint(row) for row in known]
    events: list[dict[str, Any]] = []
    deliveries: list[dict[str, Any]] = []
    for owner in owners:
        numbers = yield from _event_ids(owner, len(by_owner[owner]))
        for number, task in zip(numbers, by_owner[owner], strict=True):
            event = event_row(number, task)
            events.append(event)
            deliveries += _deliveries(event, task, endpoints)
    yield Write("insert_event", events)
    if deliveries:
        yield Write("insert_delivery", deliveries)


def event_row(event_id: str, task: Task) -> dict[str, Any]:
    """The event of a task's end."""
    return {
        "id": event_id,
        "owner": task.owner,
        "type": SUCCEEDED if task.status is Status.SUCCEEDED else FAILED,
        "task_id": task.id,
        "created_at": task.completed_at or task.updated_at,
        "task": snapshot(task),
    }


def snapshot(task: Task) -> bytes:
    """What callers see of a task, without what was asked of upstreams."""
    spec = replace(task.spec, content=(), callback_url=None)
    return _encode(replace(task, spec=spec, routes=()))


def delivery_row(event: dict[str, Any], url: str, endpoint_id: str | None) -> dict[str, Any]:
    """A delivery of an event that is due at once."""
    return {
        "id": f"dlv_{ids.ulid()}",
        "owner": event["owner"],
        "event_id": event["id"],
        "type": event["type"],
        "task_id": event["task_id"],
        "endpoint_id": endpoint_id,
        "url": url,
        "host": place_of(url),
        "created_at": event["created_at"],
    }


def _deliveries(event: dict[str, Any], task: Task, endpoints: Iterable[Endpoint]) -> list[dict[str, Any]]:
    rows = [] if task.spec.callback_url is None else [delivery_row(event, task.spec.callback_url, None)]
    rows += [
        delivery_row(event, endpoint.url, endpoint.id)
        for endpoint in endpoints
        if endpoint.owner == event["owner"] and endpoint.wants(event["type"])
    ]
    return rows


def _event_ids(owner: str, count: int) -> Plan[list[str]]:
    """Ids above every earlier one of this owner, also when this machine's clock is behind another's.

    Those that come next in number are another owner's already, when this process gave them out: so a leap.
    """
    fresh = [f"{_PREFIX}{ids.ulid()}" for _ in range(count)]
    rows = yield Read("advance_feed", {"owner": owner, "last": fresh[-1]})
    earlier: str = rows[0][0]
    if earlier < fresh[0]:
        return fresh
    start = _number(earlier.removeprefix(_PREFIX)) + secrets.randbits(_LEAP_BITS)
    fresh = [f"{_PREFIX}{ids.crockford(start + step, 26)}" for step in range(1, count + 1)]
    yield Write("set_feed", [{"owner": owner, "last": fresh[-1]}])
    return fresh


def _number(ulid: str) -> int:
    number = 0
    for digit in ulid:
        number = number * 32 + _DIGITS.index(digit)
    return number
