"""What was ordered and what has become of it: a pure function of time."""

from dataclasses import dataclass, field
from typing import Any, Literal

Stage = Literal["queued", "running", "strange", "succeeded", "failed", "moderated", "cancelled"]
FAILING = frozenset({"fails", "invalid", "moderated_input"})


@dataclass(frozen=True, kw_only=True)
class Order:
    """One submission as its protocol gave it. ``token`` is our mark on it, by which a test counts submits."""

    dialect: str
    prompt: str
    token: str | None = None
    idempotency_key: str | None = None
    callback_url: str | None = None
    last_frame: bool = False
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class Sale:
    """An accepted order. Times are seconds of the fake's clock; ``plot`` is how it goes on."""

    number: int
    reference: str
    order: Order
    accepted_at: float
    queued_for: float
    runs_for: float
    plot: str | None = None
    cancelled_at: float | None = None
    deleted: bool = False
    downloads: int = 0

    @property
    def starts_at(self) -> float:
        return self.accepted_at + self.queued_for

    @property
    def ends_at(self) -> float:
        return self.starts_at + self.runs_for

    def stage(self, now: float) -> Stage:
        """Where it stands."""
        if self.cancelled_at is not None:
            return "cancelled"
        if now < self.starts_at:
            return "queued"
        if now < self.ends_at:
            return "strange" if self.plot == "strange_status" else "running"
        if self.plot == "moderated_output":
            return "moderated"
        return "failed" if self.plot in FAILING else "succeeded"

    def fraction(self, now: float) -> float:
        """How much of the running is done, 0..1."""
        if now >= self.ends_at:
            return 1.0
        return max(0.0, (now - self.starts_at) / self.runs_for) if self.runs_for else 0.0

    def lost(self) -> bool:
        """Whether the upstream has forgotten it."""
        return self.deleted or self.plot == "lost"
