"""How long what is kept: pure rules, in milliseconds inside and days outside."""

from msgspec import Struct

from meshapi_server.tasks.states import Status
from meshapi_server.tasks.task import Task

DAY = 24 * 3600 * 1000  # ms


class Retention(Struct, frozen=True, kw_only=True):
    """How long results, ended tasks and their inline inputs are kept after the end (ms); None is for ever."""

    results: int | None = None
    tasks: int | None = None
    inputs: int | None = None

    @classmethod
    def of_days(cls, *, results: float, tasks: float, inputs: float) -> "Retention":
        """From settings in days, where 0 is for ever."""
        return cls(results=_ms(results), tasks=_ms(tasks), inputs=_ms(inputs))

    def files_until(self, task: Task) -> int | None:
        """When the files of a task are no longer kept (ms); None: it has none, or they are kept for ever."""
        if task.status is not Status.SUCCEEDED or task.completed_at is None:
            return None
        if task.files_removed_at is not None:
            return task.files_removed_at
        kept = [each for each in (self.results, self.tasks) if each is not None]
        return task.completed_at + min(kept) if kept else None

    def has_files(self, task: Task, now: int) -> bool:
        """Whether the task's files are to be had; also true before the end."""
        until = self.files_until(task)
        return until is None or now < until


def _ms(days: float) -> int | None:
    return round(days * DAY) if days else None
