"""From a stored task to the wire's task body."""

from decimal import Decimal
from typing import Any, TypeVar

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from meshapi_server.files.links import Links
from meshapi_server.files.retention import Retention
from meshapi_server.tasks.clock import Clock, system_clock
from meshapi_server.tasks.ports import Prepared
from meshapi_server.tasks.task import Facts, Outcome, StoredFile, Task, TaskError

from .wire import CreatedBody, QuoteBody, QuoteLine, TaskBody, TaskContent, TaskErrorBody, Usage, VideoBody

_FOR_EVER = Retention()


class TaskView:
    """Encodes tasks; holds what links need. ``with_request_id`` is what version 2026-09 adds.

    Files that ``retention`` no longer keeps are not shown.
    """

    def __init__(self, links: Links, retention: Retention = _FOR_EVER, clock: Clock = system_clock) -> None:
        self._links = links
        self._retention = retention
        self._clock = clock

    def task(
        self, task: Task, *, queue_position: int | None = None, with_request_id: bool = False
    ) -> TaskBody:
        """The body of a task."""
        return TaskBody(**self._fields(task, queue_position, with_request_id))

    def created(
        self, task: Task, unsupported: tuple[str, ...], *, with_request_id: bool = False
    ) -> CreatedBody:
        """The body of a create's answer."""
        fields = self._fields(task, None, with_request_id)
        return CreatedBody(**fields, unsupported_params=list(unsupported) or None)

    def _fields(self, task: Task, queue_position: int | None, with_request_id: bool) -> dict[str, Any]:
        spec, facts, error = task.spec, task.outcome.facts, task.outcome.error
        return {
            "id": task.id,
            "status": str(task.status),
            "model": task.model,
            "error": _error(error) if error else None,
            "content": self._content(task),
            "created_at": task.created_at // 1000,
            "updated_at": task.updated_at // 1000,
            "completed_at": None if task.completed_at is None else task.completed_at // 1000,
            "expires_at": self._expires_at(task),
            "progress": None if task.progress is None else round(task.progress, 3),
            "queue_position": queue_position,
            "seed": _first(facts.seed, spec.seed),
            "resolution": facts.resolution or spec.resolution,
            "ratio": facts.ratio or spec.ratio,
            "duration": _duration(facts, spec.duration),
            "frames": facts.frames or spec.frames,
            "framespersecond": facts.fps,
            "generate_audio": _first(facts.audio, spec.generate_audio),
            "safety_identifier": spec.safety_identifier,
            "priority": spec.priority,
            "draft": spec.draft,
            "draft_task_id": task.draft_task_id,
            "service_tier": spec.service_tier,
            "execution_expires_after": (task.expires_at - task.created_at) // 1000,
            "usage": Usage(facts.total_tokens, facts.total_tokens) if facts.total_tokens else None,
            "cost_usd": facts.cost_usd,
            "charged": error.charged if error else None,
            "metadata": spec.metadata or {},
            "plan": facts.plan,
            "video": _video(task.outcome),
            "warnings": list(task.outcome.warnings),
            "request_id": task.request_id if with_request_id else UNSET,
        }

    def _content(self, task: Task) -> TaskContent | None:
        outcome = task.outcome
        if outcome.video is None or not self._retention.has_files(task, self._clock()):
            return None
        return TaskContent(self._url(task, outcome.video), self._optional_url(task, outcome.last_frame))

    def _expires_at(self, task: Task) -> int | None:
        """When the task gives up; once it has succeeded, when its files are no longer kept."""
        at = self._retention.files_until(task) if task.ended else task.expires_at
        return None if at is None else at // 1000

    def _optional_url(self, task: Task, file: StoredFile | None) -> str | None:
        return None if file is None else self._url(task, file)

    def _url(self, task: Task, file: StoredFile) -> str:
        return self._links.sign(task.id, file.name)


def quote_body(prepared: Prepared, unsupported: tuple[str, ...]) -> QuoteBody:
    """The body of a quote."""
    price = prepared.price
    return QuoteBody(
        model=prepared.routes[0].model,
        cost_usd=None if price.cost_usd is None else _decimal(price.cost_usd),
        reason=price.reason,
        lines=[
            QuoteLine(
                item=line.item,
                quantity=_decimal(line.quantity),
                unit=line.unit,
                unit_price_usd=_decimal(line.unit_price_usd),
                cost_usd=_decimal(line.cost_usd),
            )
            for line in price.items
        ],
        unsupported_params=list(unsupported) or None,
    )


def _decimal(value: Decimal) -> str:
    """Without an exponent and without zeros that say nothing."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


Value = TypeVar("Value")


def _first(rendered: Value | None, asked: Value | None) -> Value | None:
    return asked if rendered is None else rendered


def _error(error: TaskError) -> TaskErrorBody:
    def known(value: Value | None) -> Value | UnsetType:
        return UNSET if value is None else value

    return TaskErrorBody(
        code=error.code,
        message=error.message,
        provider_code=known(error.provider_code),
        provider_error=known(error.provider_error),
        retryable=known(error.retryable),
        stage=known(error.stage),
        item=known(error.item),
    )


def _video(outcome: Outcome) -> VideoBody | None:
    stored, probed = outcome.video, outcome.probed
    if stored is None:
        return None
    body = VideoBody(media_type=stored.media_type, size=stored.size, sha256=stored.sha256)
    if probed is None:
        return body
    return replace(
        body,
        width=probed.width,
        height=probed.height,
        duration=round(probed.duration, 3),
        fps=None if probed.fps is None else round(probed.fps, 3),
        frames=probed.frames,
        audio=probed.audio,
        codec=probed.codec,
    )


def _duration(facts: Facts, asked: int | None) -> int | None:
    """Whole seconds; a length that is not whole is told by ``frames`` and ``framespersecond`` alone."""
    if facts.duration is None:
        return asked if asked is not None and asked > 0 else None
    whole = round(facts.duration)
    return whole if abs(facts.duration - whole) < 1e-6 else None
