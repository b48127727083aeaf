"""Tasks that a transaction holds: what steps make of them, and the writes that follow. Pure."""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import asdict, replace

from meshapi_server.tasks.life import Moved, Step, advance, pool_changes
from meshapi_server.tasks.states import Event, State
from meshapi_server.tasks.task import Attempt, Schedule, Task

from .accounting import Book
from .plan import Write
from .rows import schedule_row, task_changes
from .tally import Bucket, bucket_of, tally_rows


class Sheet:
    """Rows as they were read, and as they are after any number of steps; several may concern one task."""

    def __init__(self, rows: Iterable[tuple[Schedule, Task]]) -> None:
        self._read = {task.id: (schedule, task) for schedule, task in rows}
        self._now = dict(self._read)
        self._begun: list[Attempt] = []
        self._finished: list[Attempt] = []

    def step(self, task_id: str, step: Step, now: int, owner: str | None = None) -> Moved | None:
        """Apply a step; None when it changes nothing (see tasks/life.py), or the task is not ``owner``'s."""
        held = self._held(task_id, owner)
        moved = advance(held[1], held[0], step, now) if held is not None else None
        if moved is not None:
            self._now[task_id] = (moved.schedule, moved.task)
            self._begun += moved.begun
            self._finished += moved.finished
        return moved

    def wish_cancel(self, task_id: str, owner: str) -> None:
        """Note that a task that is being sent is to be cancelled: the answer will end it."""
        held = self._held(task_id, owner)
        if held is not None and held[0].state is State.SENDING:
            self._now[task_id] = (replace(held[0], cancel_requested=True), held[1])

    def only_looked(self) -> bool:
        """Whether nothing happened but looks at upstreams that found no news."""
        return not (self._begun or self._finished) and all(
            after[1] is before[1] and before[0].state is State.POLLING is after[0].state
            for before, after in self._pairs()
        )

    def ended(self) -> list[Task]:
        """The tasks that ended."""
        return [after[1] for before, after in self._pairs() if after[1].ended and not before[1].ended]

    def writes(self, shard: int) -> list[Write]:
        """What is to be written. Rows that transactions share come last and in an order of their own."""
        saved: list[dict[str, Any]] = []
        ended: list[dict[str, Any]] = []
        tasks: list[dict[str, Any]] = []
        pools: dict[str, int] = {}
        tally: dict[Bucket, int] = {}
        book = Book()
        for (schedule, task), (schedule_after, task_after) in self._pairs():
            book.move((schedule, task), (schedule_after, task_after))
            if schedule_after is not schedule:
                for name, change in pool_changes(schedule, schedule_after).items():
                    pools[name] = pools.get(name, 0) + change
                if schedule_after.state is State.DONE:
                    ended.append({"id": task.id})
                else:
                    row = schedule_row(task.id, schedule_after)
                    saved.append({**row, "read_attempt": schedule.attempt})
            if task_after is not task:
                tasks.append(task_changes(task_after))
                for bucket, change in ((bucket_of(task), -1), (bucket_of(task_after), 1)):
                    tally[bucket] = tally.get(bucket, 0) + change
        writes = [
            Write("save_schedule", saved),
            Write("end_schedule", ended),
            Write("save_task", tasks),
            Write("begin_attempt", [asdict(attempt) for attempt in self._begun]),
            Write("end_attempt", [asdict(attempt) for attempt in self._finished]),
            Write(
                "use_pool", [{"name": name, "change": pools[name]} for name in sorted(pools) if pools[name]]
            ),
            *book.writes(shard),
            Write("add_tally", tally_rows(tally, shard)),
        ]
        return [each for each in writes if each.rows]

    def _held(self, task_id: str, owner: str | None) -> tuple[Schedule, Task] | None:
        held = self._now.get(task_id)
        return None if held is None or (owner is not None and held[1].owner != owner) else held

    def _pairs(self) -> Iterable[tuple[tuple[Schedule, Task], tuple[Schedule, Task]]]:
        return zip(self._read.values(), self._now.values(), strict=True)


CANCEL = Step(event=Event.CANCELLED)
