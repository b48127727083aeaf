"""What callers saw, over time: the promises that hold whatever happens behind the API."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .snapshot import TERMINAL


@dataclass(frozen=True)
class Ending:
    """A terminal status as a caller saw it."""

    status: str
    code: str | None
    completed_at: int | None


class Witness:
    """Collects sights of tasks; a contradiction between two of them is a violation.

    Every sight has the time at which its request began: only what was asked after an end was known must
    show that end. Times are those of one clock that never goes back.
    """

    def __init__(self) -> None:
        self.violations: list[str] = []
        self.ids: dict[str, str] = {}  # idempotency key -> task
        self.deleted: set[str] = set()
        self.sights = 0
        self.answers: Counter[str] = Counter()
        self.digests: dict[str, str] = {}  # task -> sha256 of the video that a caller downloaded
        self.endings: dict[str, tuple[Ending, float]] = {}
        self._versions: dict[tuple[str, int], tuple[str, str | None]] = {}

    def created(self, key: str, task: Mapping[str, Any]) -> None:
        """A create was answered 200."""
        task_id = task["id"]
        known = self.ids.setdefault(key, task_id)
        if known != task_id:
            self.violations.append(f"idempotency key {key} made two tasks: {known} and {task_id}")

    def saw(self, task: Mapping[str, Any], began: float, now: float, version: int | None = None) -> None:
        """A task was shown to a caller who had asked at ``began``."""
        self.sights += 1
        task_id, status = task["id"], task["status"]
        code = task["error"]["code"] if task["error"] else None
        if version is not None:
            self._saw_version(task_id, version, status, code)
        known = self.endings.get(task_id)
        if status in TERMINAL:
            ending = Ending(status, code, task["completed_at"])
            if known is None:
                self.endings[task_id] = ending, now
            elif known[0] != ending:
                self.violations.append(f"{task_id} ended twice: {known[0]} and {ending}")
        elif known is not None and known[1] <= began:
            self.violations.append(f"{task_id} is {status} again after {known[0]}")

    def missing(self, task_id: str) -> None:
        """A task that had been accepted was not found."""
        self.violations.append(f"{task_id} was accepted and is not found")

    def wrong(self, what: str) -> None:
        """An answer that nothing justifies."""
        self.violations.append(what)

    def _saw_version(self, task_id: str, version: int, status: str, code: str | None) -> None:
        known = self._versions.setdefault((task_id, version), (status, code))
        if known != (status, code):
            self.violations.append(f"version {version} of {task_id} is both {known} and {(status, code)}")
