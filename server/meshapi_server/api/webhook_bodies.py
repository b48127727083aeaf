"""The bodies of callbacks, events and endpoints as types; ``/openapi.json`` is generated from them."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from meshapi_server.callbacks.ports import EVENT_TYPES, Endpoint, Event, SigningSecret
from meshapi_server.callbacks.service import Tried
from meshapi_server.callbacks.signing import shown
from meshapi_server.tasks.task import Task

from .view import TaskView
from .wire import TaskBody

EventType = Annotated[str, Meta(extra_json_schema={"enum": list(EVENT_TYPES)})]
URL = Annotated[str, Meta(min_length=1, max_length=2048, description="An http(s) URL without a login.")]
Description = Annotated[str, Meta(max_length=500)]
_encode = msgspec.json.Encoder().encode


class EndpointCreate(Struct, frozen=True, kw_only=True):
    """A URL to register. Without ``events`` it is told of all."""

    url: URL
    description: Description | None = None
    events: Annotated[list[EventType], Meta(max_length=20)] | None = None
    enabled: bool | None = None


class EndpointUpdate(Struct, frozen=True, kw_only=True):
    """What is to change; what is absent stays."""

    url: URL | None = None
    description: Description | None = None
    events: Annotated[list[EventType], Meta(max_length=20)] | None = None
    enabled: bool | None = None


class EndpointBody(Struct, frozen=True, kw_only=True):
    """A registered endpoint. An empty ``events`` means all. The secret is shown when it is made, only."""

    id: str
    url: str
    description: str
    events: list[str]
    enabled: bool
    created_at: int
    updated_at: int
    secret: str | UnsetType = UNSET
    previous_secret_expires_at: int | UnsetType | None = UNSET
    object: Literal["webhook.endpoint"] = "webhook.endpoint"

    def __repr__(self) -> str:
        return f"EndpointBody({self.id})"


class EndpointList(Struct, frozen=True, kw_only=True):
    """All endpoints of the owner, oldest first."""

    data: list[EndpointBody]
    object: Literal["list"] = "list"
    has_more: Literal[False] = False


class EndpointDeleted(Struct, frozen=True, kw_only=True):
    """An endpoint that was removed."""

    id: str
    object: Literal["webhook.endpoint.deleted"] = "webhook.endpoint.deleted"
    deleted: Literal[True] = True


class SecretBody(Struct, frozen=True, kw_only=True):
    """What signs the callbacks to the ``callback_url`` of single tasks: ``whsec_`` and base64."""

    secret: str
    created_at: int
    previous_secret_expires_at: Annotated[
        int | None, Meta(description="Until when the secret before is used, too.")
    ]
    object: Literal["webhook.secret"] = "webhook.secret"

    def __repr__(self) -> str:
        return f"SecretBody(created_at={self.created_at})"


class AttemptBody(Struct, frozen=True, kw_only=True):
    """One POST. ``ended_at`` null: it goes on, or its worker died."""

    attempt: int
    started_at: float
    ended_at: float | None
    http_status: int | None
    error: str | None


class DeliveryBody(Struct, frozen=True, kw_only=True):
    """One event on its way to one destination; ``event_id`` is the ``webhook-id`` of every attempt."""

    id: str
    event_id: str
    type: str
    task_id: str
    endpoint_id: Annotated[str | None, Meta(description="Null: the callback_url of the task.")]
    url: str
    status: Literal["pending", "delivered", "dead"]
    created_at: float
    next_attempt_at: Annotated[float | None, Meta(description="Null while one is under way.")]
    http_status: int | None
    error: str | None
    attempts: list[AttemptBody]
    object: Literal["webhook.delivery"] = "webhook.delivery"


class DeliveryList(Struct, frozen=True, kw_only=True):
    """A page of the delivery log, newest first."""

    data: list[DeliveryBody]
    has_more: bool
    object: Literal["list"] = "list"


class EventBody(Struct, frozen=True, kw_only=True):
    """A task has ended; ``task`` is what a callback tells."""

    id: str
    type: str
    created_at: float
    task: TaskBody
    object: Literal["event"] = "event"


class EventList(Struct, frozen=True, kw_only=True):
    """Events, oldest first. ``next`` is what to send as ``after`` to go on, now or later."""

    data: list[EventBody]
    has_more: bool
    next: str | None
    object: Literal["list"] = "list"


def endpoint_body(endpoint: Endpoint, secrets: Sequence[SigningSecret] = ()) -> EndpointBody:
    """The body of an endpoint; with its secret if that is to be shown."""
    return EndpointBody(
        id=endpoint.id,
        url=endpoint.url,
        description=endpoint.description,
        events=list(endpoint.events),
        enabled=endpoint.enabled,
        created_at=endpoint.created_at // 1000,
        updated_at=endpoint.updated_at // 1000,
        secret=shown(secrets[0].value) if secrets else UNSET,
        previous_secret_expires_at=_previous(secrets) if secrets else UNSET,
    )


def secret_body(secrets: Sequence[SigningSecret]) -> SecretBody:
    """The body of an owner's secret."""
    return SecretBody(
        secret=shown(secrets[0].value),
        created_at=secrets[0].created_at // 1000,
        previous_secret_expires_at=_previous(secrets),
    )


def delivery_body(tried: Tried) -> DeliveryBody:
    """The body of a delivery."""
    delivery = tried.delivery
    return DeliveryBody(
        id=delivery.id,
        event_id=delivery.event_id,
        type=delivery.type,
        task_id=delivery.task_id,
        endpoint_id=delivery.endpoint_id,
        url=delivery.url,
        status=delivery.status,
        created_at=delivery.created_at / 1000,
        next_attempt_at=None if delivery.due is None or delivery.worker else delivery.due / 1000,
        http_status=delivery.http_status,
        error=delivery.error,
        attempts=[
            AttemptBody(
                attempt=each.attempt,
                started_at=each.started_at / 1000,
                ended_at=None if each.ended_at is None else each.ended_at / 1000,
                http_status=each.http_status,
                error=each.error,
            )
            for each in tried.attempts
        ],
    )


def event_body(event: Event, view: TaskView) -> EventBody:
    """The body of an event; its links are as fresh as the answer."""
    return EventBody(
        id=event.id, type=event.type, created_at=event.created_at / 1000, task=view.task(event.task)
    )


def callback_body(task: Task, view: TaskView) -> bytes:
    """What a callback posts: the task body without its null fields (wire.md section 7)."""
    return _encode(_without_nulls(msgspec.to_builtins(view.task(task))))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_nulls(each) for each in value]
    return value


def _previous(secrets: Sequence[SigningSecret]) -> int | None:
    until = secrets[1].expires_at if len(secrets) > 1 else None
    return None if until is None else until // 1000
