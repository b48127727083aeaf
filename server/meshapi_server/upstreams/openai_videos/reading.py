"""What an engine tells of a finished video."""

import re
from collections.abc import Mapping
from typing import Any

from meshapi_server.upstreams.adapter import Facts, Job

_SIZE = re.compile(r"^(\d{2,5})x(\d{2,5})$")


def facts_of(video: Mapping[str, Any], job: Job) -> Facts:
    """Size and length as the engine states them, the seed as it was sent."""
    size = _SIZE.match(str(video.get("size") or ""))
    fps = video.get("fps")
    frames = video.get("num_frames")
    return Facts(
        seed=None if job.spec.seed is None else job.seed,
        resolution=job.spec.resolution,
        ratio=job.spec.ratio,
        duration=_seconds(video.get("duration_s") or video.get("seconds")),
        frames=frames if isinstance(frames, int) else None,
        fps=fps if isinstance(fps, int) else None,
        width=int(size[1]) if size else None,
        height=int(size[2]) if size else None,
    )


def _seconds(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
