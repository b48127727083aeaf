"""Between rows and values of the callback rooms."""

from typing import Any

import msgspec

from meshapi_server.callbacks.ports import Delivery, Endpoint, Event, Result, SigningSecret
from meshapi_server.tasks.task import Task

from .plan import Row
from .statements import DELIVERY_COLUMNS, ENDPOINT_COLUMNS

_encode = msgspec.json.encode
_task = msgspec.json.Decoder(Task)
_types = msgspec.json.Decoder(tuple[str, ...])


def read_delivery(row: Row) -> Delivery:
    """A delivery from the columns ``DELIVERY_COLUMNS``, in that order."""
    return Delivery(**dict(zip(DELIVERY_COLUMNS, row, strict=True)))


def read_endpoint(row: Row) -> Endpoint:
    """An endpoint from the columns ``ENDPOINT_COLUMNS``, in that order."""
    fields = dict(zip(ENDPOINT_COLUMNS, row, strict=True))
    return Endpoint(
        **{**fields, "enabled": bool(fields["enabled"]), "events": _types.decode(fields["events"])}
    )


def endpoint_row(endpoint: Endpoint) -> dict[str, Any]:
    """The columns of an endpoint, by name."""
    fields = {name: getattr(endpoint, name) for name in ENDPOINT_COLUMNS}
    return {**fields, "enabled": int(endpoint.enabled), "events": _encode(endpoint.events).decode()}


def read_event(row: Row) -> Event:
    """An event from its columns, in the order in which ``list_events`` names them."""
    event_id, owner, type_, task_id, created_at, task = row
    return Event(
        id=event_id,
        owner=owner,
        type=type_,
        task_id=task_id,
        created_at=created_at,
        task=read_snapshot(task),
    )


def read_snapshot(task: bytes) -> Task:
    """A task as it was when it ended."""
    return _task.decode(task)


def read_secret(row: Row) -> tuple[str, SigningSecret]:
    """Whose secret, and the secret, from the columns of ``get_webhook_secrets``."""
    holder, value, created_at, expires_at = row
    return holder, SigningSecret(value=value, created_at=created_at, expires_at=expires_at)


def result_row(result: Result) -> dict[str, Any]:
    """The columns that a result changes, of the delivery and of its attempt."""
    return {
        "id": result.delivery_id,
        "delivery_id": result.delivery_id,
        "attempt": result.attempt,
        "status": result.status,
        "due": result.due,
        "ended_at": result.ended_at,
        "http_status": result.http_status,
        "error": result.error,
    }
