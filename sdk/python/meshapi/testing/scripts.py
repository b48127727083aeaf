"""What tasks do over time."""

from __future__ import annotations

from dataclasses import dataclass

from meshapi.types.task import TERMINAL_STATUSES

# Seconds by which two sums of times may differ and still mean the same moment: a float that counts seconds
# since 1970 is only so fine, and a clock that is moved to a change must have reached it.
_BLUR = 1e-6
# The first boxes of an MP4 file, and nothing to see.
PLACEHOLDER_VIDEO = (
    b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42\x00\x00\x00\x24freea mock: nothing to see here!"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """What a task is from ``at`` on, in seconds after its creation."""

    at: float
    status: str
    progress: float | None = None
    queue_position: int | None = None

    @property
    def is_end(self) -> bool:
        """Whether the task has ended then."""
        return self.status in TERMINAL_STATUSES


@dataclass(frozen=True, slots=True)
class TaskScript:
    """A task's course: its moments, the first at 0, and what it leaves behind."""

    moments: tuple[Moment, ...]
    error: tuple[str, str] | None = None
    video: bytes = PLACEHOLDER_VIDEO
    last_frame: bytes | None = None
    charged: str | None = None

    def __post_init__(self) -> None:
        times = [moment.at for moment in self.moments]
        if not times or times[0] != 0 or times != sorted(times):
            raise ValueError(f"the moments of a task begin at 0 and go forward, got {times}")
        if any(moment.is_end for moment in self.moments[:-1]):
            raise ValueError("nothing follows the end of a task: only its last moment may be terminal")

    def at(self, seconds: float) -> Moment:
        """What the task is so long after its creation."""
        return next(moment for moment in reversed(self.moments) if moment.at <= max(0.0, seconds) + _BLUR)

    def next_after(self, seconds: float) -> Moment | None:
        """The next change, None when there is none."""
        return next((moment for moment in self.moments if moment.at > seconds + _BLUR), None)


def succeeds(
    *,
    after: float = 10.0,
    queued: float | None = None,
    steps: int = 4,
    video: bytes = PLACEHOLDER_VIDEO,
    last_frame: bytes | None = None,
) -> TaskScript:
    """A task that succeeds ``after`` seconds, having been ``queued`` for a fifth of them unless told.

    It then reports its progress in ``steps``. ``video`` and ``last_frame`` are what is downloaded.
    """
    begins = after / 5 if queued is None else queued
    if not 0 <= begins <= after:
        raise ValueError(f"a task is queued for at most its whole time, {after:g} s, got {begins:g}")
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    moments = [Moment(0.0, "pending", None, 1)] if begins > 0 else []
    moments += [
        Moment(begins + (after - begins) * step / steps, "running", step / steps)
        for step in range(steps if after > begins else 0)
    ]
    return TaskScript((*moments, Moment(after, "succeeded", 1.0)), None, video, last_frame)


def fails(
    code: str = "upstream_error",
    message: str = "The provider reported a failure.",
    *,
    after: float = 5.0,
    charged: str | None = "no",
) -> TaskScript:
    """A task that fails ``after`` seconds; the codes are in ``contract/errors.json`` under ``task``."""
    moments = (Moment(0.0, "running", 0.0), Moment(after, "failed")) if after else (Moment(0.0, "failed"),)
    return TaskScript(moments, (code, message), charged=charged)


def moderated(message: str = "The prompt was refused.", *, after: float = 2.0) -> TaskScript:
    """A task that moderation refuses."""
    return fails("content_policy_violation", message, after=after)


def expires(*, after: float = 172800.0) -> TaskScript:
    """A task that is never served until it expires."""
    moments = (Moment(0.0, "pending", None, 1), Moment(after, "failed"))
    return TaskScript(moments, ("expired", "execution_expires_after ran out."), charged="no")


def stuck() -> TaskScript:
    """A task that runs until it is cancelled."""
    return TaskScript((Moment(0.0, "running", 0.5),))


def goes_through(
    *moments: Moment | tuple[float, str] | tuple[float, str, float],
    error: tuple[str, str] | None = None,
    video: bytes = PLACEHOLDER_VIDEO,
) -> TaskScript:
    """A task of your own: ``goes_through((0, "pending"), (3, "running", 0.5), (9, "succeeded"))``."""
    listed = tuple(each if isinstance(each, Moment) else Moment(*each) for each in moments)
    return TaskScript(listed, error, video)
