"""From the answer of a success to the value a method returns. No I/O."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from pydantic import ValidationError

from ._exchange import Answer
from .errors import MeshAPIError, ResponseDecodingError
from .types.task import (
    CreateVideoGenerationResponse,
    DeleteVideoGenerationResponse,
    VideoTaskResponse,
)

if TYPE_CHECKING:
    from .types import (
        Model,
        ModelList,
        Quote,
        TaskEventList,
        Timeline,
        UsageReport,
        VideoTaskList,
        WebhookDelivery,
        WebhookDeliveryList,
        WebhookEndpoint,
        WebhookEndpointDeleted,
        WebhookEndpointList,
        WebhookSecret,
    )

    class _Result(Protocol):
        request_id: str | None

        @classmethod
        def model_validate_json(cls, json_data: str | bytes | bytearray) -> Self: ...


# What the first call of most programs does not need is loaded by the calls that do.
Result = TypeVar("Result", bound="_Result")


def decoded(kind: type[Result], answer: Answer) -> Result:
    """The body of a success as a value that knows its request id. Raises ResponseDecodingError."""
    try:
        value = kind.model_validate_json(answer.body)
    except ValidationError:
        raise _undecodable(kind.__name__, answer) from None
    if value.request_id is None:
        value.request_id = answer.headers.get("x-request-id")
    return value


def task(answer: Answer) -> VideoTaskResponse:
    """A task."""
    return decoded(VideoTaskResponse, answer)


def created(answer: Answer, idempotency_key: str | None) -> CreateVideoGenerationResponse:
    """The task as it was accepted. A success that names no task is a lost answer: the task may well exist."""
    try:
        accepted = decoded(CreateVideoGenerationResponse, answer)
        if accepted.id:
            return accepted
        raise _undecodable("task with an id", answer)
    except ResponseDecodingError as lost:
        lost.task_may_exist = True
        lost.idempotency_key = idempotency_key
        raise


def page(answer: Answer) -> VideoTaskList:
    """One page of tasks, which all know the request that brought them."""
    from .types.listing import VideoTaskList

    tasks = decoded(VideoTaskList, answer)
    for each in tasks.data:
        each.request_id = each.request_id or tasks.request_id
    return tasks


def quote(answer: Answer) -> Quote:
    """A quote."""
    from .types.quote import Quote

    return decoded(Quote, answer)


def timeline(answer: Answer) -> Timeline:
    """The history of a task."""
    from .types.timeline import Timeline

    return decoded(Timeline, answer)


def usage(answer: Answer) -> UsageReport:
    """What keys have used."""
    from .types.usage import UsageReport

    return decoded(UsageReport, answer)


def events(answer: Answer) -> TaskEventList:
    """Events of the feed."""
    from .types.webhooks import TaskEventList

    return decoded(TaskEventList, answer)


def webhook_secret(answer: Answer) -> WebhookSecret:
    """What signs callbacks."""
    from .types.webhooks import WebhookSecret

    return decoded(WebhookSecret, answer)


def webhook_endpoint(answer: Answer) -> WebhookEndpoint:
    """A registered URL."""
    from .types.webhooks import WebhookEndpoint

    return decoded(WebhookEndpoint, answer)


def webhook_endpoints(answer: Answer) -> WebhookEndpointList:
    """All registered URLs."""
    from .types.webhooks import WebhookEndpointList

    endpoints = decoded(WebhookEndpointList, answer)
    for each in endpoints:
        each.request_id = each.request_id or endpoints.request_id
    return endpoints


def webhook_endpoint_deleted(answer: Answer) -> WebhookEndpointDeleted:
    """Word that a URL was removed."""
    from .types.webhooks import WebhookEndpointDeleted

    return decoded(WebhookEndpointDeleted, answer)


def webhook_delivery(answer: Answer) -> WebhookDelivery:
    """A delivery."""
    from .types.webhooks import WebhookDelivery

    return decoded(WebhookDelivery, answer)


def webhook_deliveries(answer: Answer) -> WebhookDeliveryList:
    """A page of deliveries."""
    from .types.webhooks import WebhookDeliveryList

    deliveries = decoded(WebhookDeliveryList, answer)
    for each in deliveries:
        each.request_id = each.request_id or deliveries.request_id
    return deliveries


def deleted(task_id: str, answer: Answer) -> DeleteVideoGenerationResponse:
    """What a delete did. An empty body (204) means removed."""
    if not answer.body.strip():
        request_id = answer.headers.get("x-request-id")
        return DeleteVideoGenerationResponse(id=task_id, deleted=True, request_id=request_id)
    return decoded(DeleteVideoGenerationResponse, answer)


def model(answer: Answer) -> Model:
    """A model of the catalogue."""
    from .types.model import Model

    return decoded(Model, answer)


def models(answer: Answer) -> ModelList:
    """The bare array of ``GET /v1/models``; a ``{"data": [...]}`` around it is read too."""
    from .types.model import Model, ModelList

    try:
        body = json.loads(answer.body)
    except ValueError:
        raise _undecodable("list of models", answer) from None
    rows = body.get("data") if isinstance(body, dict) else body
    if not isinstance(rows, list):
        raise _undecodable("list of models", answer)
    found = ModelList(Model.model_validate(row) for row in rows if isinstance(row, dict))
    found.request_id = answer.headers.get("x-request-id")
    for each in found:
        each.request_id = each.request_id or found.request_id
    return found


def _undecodable(wanted: str, answer: Answer) -> MeshAPIError:
    start = answer.body[:80].decode(errors="replace")
    return ResponseDecodingError(
        f"HTTP {answer.status}, but the body is no {wanted}; it begins {start!r}",
        status=answer.status,
        request_id=answer.headers.get("x-request-id"),
    )
