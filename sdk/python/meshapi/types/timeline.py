"""What happened to a task, step by step (contract: timeline-decoding)."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from .lenient import LenientModel, Mend, text, unix_moment, whole_number
from .rows import objects_only


class TimelineEntry(LenientModel):
    """One attempt of one step.

    ``kind`` is ``created``, ``render``, ``submit``, ``reconcile``, ``poll``, ``fetch``, ``cancel`` or
    ``ended``; newer servers may say others. Times are Unix seconds with a fraction; ``ended_at`` is None
    while the attempt goes on. A ``poll`` sums up all looks of one submission, ``polls`` of them.
    """

    kind: str = ""
    attempt: int | None = None
    started_at: float | None = None
    ended_at: float | None = None
    upstream: str | None = None
    model: str | None = None
    result: str | None = None
    message: str | None = None
    polls: int | None = None

    _mends: ClassVar[Mapping[str, Mend]] = {
        "started_at": unix_moment,
        "ended_at": unix_moment,
        "attempt": whole_number,
        "polls": whole_number,
        "result": text,
    }

    @property
    def seconds(self) -> float | None:
        """How long the attempt took; None while it goes on."""
        if self.started_at is None or self.ended_at is None:
            return None
        return max(0.0, self.ended_at - self.started_at)


class Timeline(LenientModel):
    """The history of one task, oldest first. Iterating gives its entries."""

    object: str = "timeline"
    id: str = ""
    data: Annotated[list[TimelineEntry], BeforeValidator(objects_only)] = Field(default_factory=list)
    request_id: str | None = None

    def __iter__(self) -> Iterator[TimelineEntry]:  # type: ignore[override]  # a model iterates over its fields
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __bool__(self) -> bool:
        return True
