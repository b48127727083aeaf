"""What was done for a task, attempt by attempt: why it took so long, and who was asked how often."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from meshapi_server.tasks.service import TaskService
from meshapi_server.tasks.task import Attempt, Task

from .call import Answer, Call, Reply
from .generations import ITEM, TASK_ID
from .operation import Operation, Response

_encode = msgspec.json.Encoder().encode


class TimelineEntry(Struct, frozen=True, kw_only=True):
    """One attempt, or the task's beginning or end. Times are Unix seconds, to the millisecond."""

    kind: Annotated[
        str,
        Meta(description="created, render, submit, reconcile, poll, fetch, cancel, ended; more may come."),
    ]
    attempt: int | None
    started_at: float
    ended_at: float | None
    upstream: str | None
    model: str | None
    result: str | None
    message: str | None
    polls: Annotated[int, Meta(description="How many looks a `poll` entry sums up.")] | None


class TimelineBody(Struct, frozen=True, kw_only=True):
    """Every attempt at a task, oldest first."""

    id: str
    data: list[TimelineEntry]
    object: Literal["timeline"] = "timeline"


class Timeline:
    """The timeline of one task."""

    def __init__(self, tasks: TaskService) -> None:
        self._tasks = tasks

    async def get(self, call: Call) -> Answer:
        """The caller's task, as it was worked on."""
        task, attempts = await self._tasks.timeline(call.owner, call.path_values["task_id"])
        body = TimelineBody(id=task.id, data=entries(task, attempts))
        return Reply(_encode(body), headers={"cache-control": "private, no-cache"})

    def operations(self) -> tuple[Operation, ...]:
        """What this room serves."""
        return (
            Operation(
                method="GET",
                path=ITEM + "/timeline",
                name="getVideoGenerationTimeline",
                summary="Every attempt at a task",
                tag="video",
                handler=self.get,
                parameters=(TASK_ID,),
                responses={200: Response(description="The attempts, oldest first.", body=TimelineBody)},
                errors=(403, 404, 429),
            ),
        )


def entries(task: Task, attempts: Sequence[Attempt]) -> list[TimelineEntry]:
    """The task's beginning, its attempts and, when it has ended, its end."""
    lines = [_entry("created", task.created_at, model=task.requested_model, result="queued")]
    lines += [
        _entry(
            each.kind,
            each.started_at,
            each.ended_at,
            attempt=None if each.kind == "poll" else each.attempt,
            upstream=each.upstream,
            model=each.model,
            result=each.result,
            message=each.message,
            polls=each.polls,
        )
        for each in attempts
    ]
    if task.completed_at is not None:
        error = task.outcome.error
        lines.append(
            _entry(
                "ended",
                task.completed_at,
                task.completed_at,
                model=task.model,
                result=error.code if error else str(task.status),
                message=error.message if error else None,
            )
        )
    # A cancel reaches the upstream after the task has ended for its caller.
    return sorted(lines, key=lambda line: line.started_at)


def _entry(
    kind: str,
    started_at: int,
    ended_at: int | None = None,
    *,
    attempt: int | None = None,
    upstream: str | None = None,
    model: str | None = None,
    result: str | None = None,
    message: str | None = None,
    polls: int | None = None,
) -> TimelineEntry:
    return TimelineEntry(
        kind=kind,
        attempt=attempt,
        started_at=started_at / 1000,
        ended_at=None if ended_at is None else ended_at / 1000,
        upstream=upstream,
        model=model,
        result=result,
        message=message,
        polls=polls,
    )
