"""One task of the mock, and how it looks on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .scripts import Moment, TaskScript

_ECHOED = (
    *("seed", "resolution", "ratio", "duration", "frames", "generate_audio", "safety_identifier"),
    *("priority", "draft", "service_tier", "execution_expires_after", "metadata"),
)


@dataclass
class MockTask:
    """A task that was accepted: ``params`` is the body of its create, ``created_at`` Unix seconds."""

    id: str
    params: dict[str, Any]
    script: TaskScript
    created_at: float
    cost_usd: str | None
    cancelled_at: float | None = None

    def moment(self, now: float) -> Moment:
        """What the task is now."""
        if self.cancelled_at is not None:
            return Moment(self.cancelled_at - self.created_at, "failed")
        return self.script.at(now - self.created_at)

    def next_change(self, now: float) -> float | None:
        """When the task changes next, Unix seconds; None when it does not."""
        following = self.script.next_after(now - self.created_at) if self.cancelled_at is None else None
        return None if following is None else self.created_at + following.at

    def ends_at(self) -> float | None:
        """When it ends by its script, Unix seconds; None for one that never does."""
        last = self.script.moments[-1]
        return self.created_at + last.at if last.is_end else None

    def view(self, now: float, links: str) -> dict[str, Any]:
        """The body of the task; its files are below ``links``."""
        moment = self.moment(now)
        changed = self.created_at + moment.at
        succeeded = moment.status == "succeeded"
        frame = f"{links}/{self.id}/last_frame" if self.script.last_frame is not None else None
        return {
            "id": self.id,
            "status": moment.status,
            "model": self.params.get("model"),
            "error": self._error(moment),
            "content": (
                {"video_url": f"{links}/{self.id}/video", "last_frame_url": frame} if succeeded else None
            ),
            "created_at": int(self.created_at),
            "updated_at": int(changed),
            "completed_at": int(changed) if moment.is_end else None,
            "progress": moment.progress,
            "queue_position": moment.queue_position,
            "cost_usd": self.cost_usd if succeeded else None,
            "charged": self.script.charged if moment.status == "failed" else None,
            **{name: self.params.get(name) for name in _ECHOED},
        }

    def timeline(self, now: float) -> dict[str, Any]:
        """The history of the task."""
        moment, begun = self.moment(now), self.created_at
        rows: list[dict[str, Any]] = [{"kind": "created", "started_at": begun, "ended_at": begun}]
        running = next((each for each in self.script.moments if each.status == "running"), None)
        ended = begun + moment.at if moment.is_end else None
        if running is not None and begun + running.at <= now:
            result = moment.status if moment.is_end else None
            row = {"kind": "render", "attempt": 1, "started_at": begun + running.at, "ended_at": ended}
            rows.append({**row, "model": self.params.get("model"), "result": result})
        if ended is not None:
            rows.append({"kind": "ended", "started_at": ended, "ended_at": ended, "result": moment.status})
        return {"object": "timeline", "id": self.id, "data": rows}

    def _error(self, moment: Moment) -> dict[str, str] | None:
        if moment.status == "succeeded" or not moment.is_end:
            return None
        if self.cancelled_at is not None:
            return {"code": "cancelled", "message": "The caller cancelled the task."}
        code, message = self.script.error or ("internal_error", "Scripted without a reason.")
        return {"code": code, "message": message}
