"""The task: what the caller asked, where it stands, what came of it. Values only."""

from typing import Any, Literal

from msgspec import Struct

from .price import Tariff
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


Charged = Literal["yes", "no", "unknown"]
ModerationStage = Literal["input", "output"]


class TaskError(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a task failed; ``code`` is one of wire.md section 8's task-level codes.

    ``provider_error`` keeps the upstream's own words, secrets removed, and ``provider_code`` its own code.
    ``charged`` says whether the upstream bills the attempt; ``retryable`` whether asking again makes sense.
    ``stage`` tells where a safety check said no, and ``item`` what it refused, in words such as "image 2".
    """

    code: ErrorCode
    message: str
    provider_code: str | None = None
    provider_error: dict[str, Any] | None = None
    charged: Charged | None = None
    retryable: bool | None = None
    stage: ModerationStage | None = None
    item: str | None = None


class StoredFile(Struct, frozen=True, kw_only=True):
    """A result in the operator's storage. ``sha256`` is hex; ``size`` is bytes."""

    name: str
    media_type: str
    size: int
    sha256: str


class Probed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a stored video was measured to be: pixels, seconds, frames; ``codec`` by FFmpeg's name.

    ``frames`` and ``fps`` are None where the file does not tell.
    """

    width: int
    height: int
    duration: float
    codec: str
    audio: bool
    frames: int | None = None
    fps: float | None = None


class Measured(Struct, frozen=True, kw_only=True):
    """What a measurement found: what the video is, and the problem with it; none of both: not measured."""

    probed: Probed | None = None
    problem: str | None = None


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
    """The mutable part of a task that is not scheduling: facts, files, error.

    ``probed`` is what the stored video was measured to be; ``warnings`` say where that is not what was asked.
    """

    facts: Facts = Facts()
    video: StoredFile | None = None
    last_frame: StoredFile | None = None
    error: TaskError | None = None
    probed: Probed | None = None
    warnings: tuple[str, ...] = ()


class Route(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One upstream that can serve a task. ``model`` is the public id, ``upstream_model`` the upstream's own.

    ``usual_seconds`` is how long a run usually takes; it decides when to look. ``tariff`` None: the price is
    not known.
    """

    upstream: str
    model: str
    upstream_model: str
    usual_seconds: float | None = None
    simulated: bool = False  # stands in for an upstream that is off
    takes_seed: bool = True
    spec: Spec | None = None  # what is asked of this one, where it differs from the task's
    tariff: Tariff | None = None

    @property
    def free(self) -> bool:
        """Whether it is certain to cost nothing."""
        return self.tariff is not None and self.tariff.most == 0


class Task(Struct, frozen=True, kw_only=True):
    """One task as stored. Times are milliseconds since the Unix epoch; ``version`` counts its changes.

    ``model`` and ``upstream`` are those of the route in use; ``routes`` are all that may be asked, in order.
    ``key_id`` is the key that created it. ``files_removed_at`` is when its files were no longer kept.
    """

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
    key_id: str | None = None
    routes: tuple[Route, ...] = ()
    files_removed_at: int | None = None

    @property
    def ended(self) -> bool:
        """True when the status is terminal; it never changes again."""
        return self.status in TERMINAL_STATUSES

    @property
    def simulated(self) -> bool:
        """True when the built-in model stands in for the requested one (wire.md section 10)."""
        return bool(self.routes) and self.routes[0].simulated

    @property
    def metered(self) -> bool:
        """True when it may cost something."""
        return any(not route.free for route in self.routes)

    @property
    def served_by(self) -> Route | None:
        """The route in use, or that was when it ended."""
        for route in self.routes:
            if route.upstream == self.upstream and route.model == self.model:
                return route
        return None


class Schedule(Struct, frozen=True, kw_only=True):
    """The narrow, hot half of a task in flight: who holds it, until when, what comes next.

    Times are milliseconds. ``lane`` is the pool of the key's own limit, empty when it has none; ``rank`` is 9
    less the priority, so that the lowest comes first. ``attempt`` counts the claims, and ``submission`` is
    the attempt of the last paid call. ``give_up_at`` ends the state ``unknown`` or ``cancelling``. ``woken``:
    the upstream announced a change while somebody was looking. ``cancel_requested``: the caller's task has
    ended or shall end, and the upstream is to be stopped as soon as it is known what it has.
    """

    state: State
    due: int
    upstream: str
    expires_at: int
    lane: str = ""
    rank: int = 9
    attempt: int = 0
    submission: int = 0
    route: int = 0
    worker: str | None = None
    lease_until: int = 0
    upstream_ref: str | None = None
    accepted_at: int | None = None
    polls: int = 0
    give_up_at: int | None = None
    woken: bool = False
    cancel_requested: bool = False


AttemptKind = Literal["render", "submit", "reconcile", "poll", "fetch", "cancel"]


class Attempt(Struct, frozen=True, kw_only=True):
    """One line of a task's timeline: a claim that was worked on, or all the looks of one submission.

    ``result`` is the event that ended it; None while it goes on. Times are milliseconds.
    """

    task_id: str
    attempt: int
    kind: AttemptKind
    upstream: str
    model: str
    started_at: int
    worker: str | None = None
    ended_at: int | None = None
    result: str | None = None
    message: str | None = None
    polls: int | None = None


class Claim(Struct, frozen=True, kw_only=True):
    """A task handed to one worker. Saves must name ``schedule.attempt``, or they change nothing."""

    task: Task
    schedule: Schedule
