"""The task: what the caller asked, where it stands, what came of it. Values only."""

from typing import Any, Literal

from msgspec import Struct

from .spec import Spec
from .states import TERMINAL_STATUSES, State, Status

ErrorCode = Literal[
    "content_policy_violation",
    "invalid_input",
    "upstream_error",
    "upstream_timeout",
    "submission_unknown",
    "expired",
    "cancelled",
    "internal_error",
]


class TaskError(Struct, frozen=True, kw_only=True):
    """Why a task failed; ``code`` is one of wire.md section 8's task-level codes."""

    code: ErrorCode
    message: str


class StoredFile(Struct, frozen=True, kw_only=True):
    """A result in the operator's storage. ``sha256`` is hex; ``size`` is bytes."""

    name: str
    media_type: str
    size: int
    sha256: str


class Facts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was really rendered; None where the upstream does not tell. Seconds, pixels, frames."""

    seed: int | None = None
    resolution: str | None = None
    ratio: str | None = None
    duration: float | None = None
    frames: int | None = None
    fps: int | None = None
    width: int | None = None
    height: int | None = None
    audio: bool | None = None
    cost_usd: str | None = None
    total_tokens: int | None = None
    plan: dict[str, Any] | None = None


class Outcome(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The mutable part of a task that is not scheduling: facts, files, error."""

    facts: Facts = Facts()
    video: StoredFile | None = None
    last_frame: StoredFile | None = None
    error: TaskError | None = None


class Task(Struct, frozen=True, kw_only=True):
    """One task as stored. Times are milliseconds since the Unix epoch; ``version`` counts its changes."""

    id: str
    owner: str
    request_id: str
    requested_model: str
    model: str
    upstream: str
    status: Status
    version: int
    created_at: int
    updated_at: int
    expires_at: int
    spec: Spec
    completed_at: int | None = None
    progress: float | None = None
    outcome: Outcome = Outcome()
    draft_task_id: str | None = None

    @property
    def ended(self) -> bool:
        """True when the status is terminal; it never changes again."""
        return self.status in TERMINAL_STATUSES

    @property
    def simulated(self) -> bool:
        """True when a model other than the requested one serves it (wire.md section 10)."""
        return self.model != self.requested_model


class Schedule(Struct, frozen=True, kw_only=True):
    """The narrow, hot half of a task in flight: who holds it, until when, what comes next."""

    state: State
    due: int
    attempt: int = 0
    worker: str | None = None
    lease_until: int = 0
    upstream_ref: str | None = None
    polls: int = 0
    cancel_requested: bool = False


class Claim(Struct, frozen=True, kw_only=True):
    """A task handed to one worker. Saves must name ``schedule.attempt``, or they change nothing."""

    task: Task
    schedule: Schedule
