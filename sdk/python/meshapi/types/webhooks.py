"""Registered URLs, deliveries and the feed of events, as a server tells them (contract: webhook-decoding)."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Generic, TypeVar

from pydantic import BeforeValidator, Field

from .lenient import LenientModel, Mend, unix_moment, unix_seconds
from .rows import objects_only
from .task import VideoTaskResponse

Row = TypeVar("Row", bound=LenientModel)


class WebhookEndpoint(LenientModel):
    """A URL that is told of tasks that end; of all when ``events`` is empty.

    ``secret`` is there in the answers of its making and of its rotation only, and never shown.
    """

    id: str = ""
    url: str | None = None
    description: str | None = None
    events: list[str] = Field(default_factory=list)
    enabled: bool | None = None
    created_at: int | None = None
    updated_at: int | None = None
    secret: str | None = Field(default=None, repr=False)
    previous_secret_expires_at: int | None = None
    request_id: str | None = None

    _mends: ClassVar[Mapping[str, Mend]] = {
        "created_at": unix_seconds,
        "updated_at": unix_seconds,
        "previous_secret_expires_at": unix_seconds,
    }


class WebhookSecret(LenientModel):
    """What signs the callbacks to the ``callback_url`` of single tasks, which no ``repr`` shows."""

    secret: str | None = Field(default=None, repr=False)
    created_at: int | None = None
    previous_secret_expires_at: int | None = None
    request_id: str | None = None

    _mends: ClassVar[Mapping[str, Mend]] = {
        "created_at": unix_seconds,
        "previous_secret_expires_at": unix_seconds,
    }


class WebhookAttempt(LenientModel):
    """One POST. ``ended_at`` None: it goes on, or what became of it is not known."""

    attempt: int | None = None
    started_at: float | None = None
    ended_at: float | None = None
    http_status: int | None = None
    error: str | None = None

    _mends: ClassVar[Mapping[str, Mend]] = {"started_at": unix_moment, "ended_at": unix_moment}


class WebhookDelivery(LenientModel):
    """One event on its way to one URL: ``pending``, ``delivered`` or ``dead``.

    ``event_id`` is the ``webhook-id`` of every attempt. ``endpoint_id`` None: the URL of the single task.
    """

    id: str = ""
    event_id: str | None = None
    type: str | None = None
    task_id: str | None = None
    endpoint_id: str | None = None
    url: str | None = None
    status: str | None = None
    created_at: float | None = None
    next_attempt_at: float | None = None
    http_status: int | None = None
    error: str | None = None
    attempts: Annotated[list[WebhookAttempt], BeforeValidator(objects_only)] = Field(default_factory=list)
    request_id: str | None = None

    _mends: ClassVar[Mapping[str, Mend]] = {"created_at": unix_moment, "next_attempt_at": unix_moment}


class TaskEvent(LenientModel):
    """A task has ended; ``task`` is what its callback tells."""

    id: str = ""
    type: str | None = None
    created_at: float | None = None
    task: VideoTaskResponse | None = None

    _mends: ClassVar[Mapping[str, Mend]] = {"created_at": unix_moment}


class _Rows(LenientModel, Generic[Row]):
    """A page. Iterating gives its rows."""

    data: Annotated[list[Row], BeforeValidator(objects_only)] = Field(default_factory=list)
    has_more: bool | None = None
    request_id: str | None = None

    def __iter__(self) -> Iterator[Row]:  # type: ignore[override]  # a model iterates over its fields
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __bool__(self) -> bool:
        return True


class WebhookEndpointList(_Rows[WebhookEndpoint]):
    """All registered URLs, oldest first."""


class WebhookDeliveryList(_Rows[WebhookDelivery]):
    """A page of the delivery log, newest first."""


class TaskEventList(_Rows[TaskEvent]):
    """Events, oldest first. ``next`` is what to give as ``after`` to go on, now or later."""

    next: str | None = None


class WebhookEndpointDeleted(LenientModel):
    """Word that a URL was removed."""

    id: str = ""
    deleted: bool | None = None
    request_id: str | None = None
