"""Values that the suites start from: a task as it is accepted, its schedule, a clock that is set by hand."""

from typing import Any

from meshapi_server.tasks import ids
from meshapi_server.tasks.limits import Pool
from meshapi_server.tasks.ports import Idempotency
from meshapi_server.tasks.spec import ContentItem, Spec
from meshapi_server.tasks.states import State, Status
from meshapi_server.tasks.task import Facts, Outcome, Schedule, StoredFile, Task

NOW = 1_785_585_600_000  # 2026-08-01T12:00:00Z, ms
EXPIRY = 172_800_000  # ms
OWNER = "own_1"
REMOTE, LOCAL = "sandbox", "mesh"


class HandClock:
    """Milliseconds since the epoch, moved by the test."""

    def __init__(self, now: int = NOW) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def spec(model: str = "sandbox/fails", **fields: Any) -> Spec:
    content = fields.pop("content", (ContentItem(kind="text", index=0, text="a lake"),))
    return Spec(model=model, content=content, **fields)


def task(**fields: Any) -> Task:
    """A task that has just been accepted; ``fields`` replace the columns they name."""
    created_at = fields.get("created_at", NOW)
    defaults: dict[str, Any] = {
        "id": ids.task_id(),
        "owner": OWNER,
        "request_id": ids.request_id(),
        "requested_model": "sandbox/fails",
        "model": "sandbox/fails",
        "upstream": REMOTE,
        "status": Status.PENDING,
        "version": 1,
        "created_at": created_at,
        "updated_at": created_at,
        "expires_at": created_at + EXPIRY,
        "spec": spec(),
    }
    return Task(**{**defaults, **fields})


def schedule(**fields: Any) -> Schedule:
    defaults = {"state": State.QUEUED, "due": NOW, "upstream": REMOTE, "expires_at": NOW + EXPIRY}
    return Schedule(**{**defaults, **fields})


def schedule_of(task: Task, **fields: Any) -> Schedule:
    """The schedule with which ``task`` is accepted."""
    rank = 9 - (task.spec.priority or 0)
    return schedule(upstream=task.upstream, expires_at=task.expires_at, rank=rank, **fields)


def idempotency(key: str = "key-1", body: bytes = b"body") -> Idempotency:
    return Idempotency(key=key, fingerprint=body)


def outcome() -> Outcome:
    video = StoredFile(name="video.mp4", media_type="video/mp4", size=10, sha256="ab" * 32)
    return Outcome(facts=Facts(seed=7, frames=48, fps=24), video=video)


def pools(upstream: str, capacity: int) -> list[Pool]:
    """The limit of an upstream to so many tasks at once."""
    return [Pool(name=f"upstream:{upstream}", capacity=capacity)]
