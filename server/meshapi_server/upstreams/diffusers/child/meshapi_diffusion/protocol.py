"""What the server and the child say to each other: one JSON object a line, on pipes.

The server sends ``render`` and ``stop``; the child ``ready``, ``step``, ``done``, ``stopped`` and ``failed``.
A child renders one order at a time. The end of its input ends it. Nothing but the standard library here.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

FailureCode = Literal["not_loaded", "out_of_memory", "refused", "broken"]


@dataclass(frozen=True)
class Render:
    """An order: one video. ``pipeline`` is the class to run, ``output`` the file for the raw RGB frames.

    Sizes are pixels, ``frames`` and ``steps`` counts. ``None`` leaves a value to the pipeline. The pictures
    are PNG files of exactly the size of the video.
    """

    id: str
    pipeline: str
    output: str
    prompt: str
    seed: int
    width: int
    height: int
    frames: int
    fps: int
    negative_prompt: str | None = None
    steps: int | None = None
    guidance: float | None = None
    first_frame: str | None = None
    last_frame: str | None = None


@dataclass(frozen=True)
class Stop:
    """End the order of this id at its next step. An order that has ended is none to stop."""

    id: str


@dataclass(frozen=True)
class Ready:
    """The pipeline is loaded, on ``device``."""

    pipeline: str
    device: str


@dataclass(frozen=True)
class Step:
    """``done`` of ``total`` denoising steps are done."""

    id: str
    done: int
    total: int


@dataclass(frozen=True)
class Done:
    """The frames are in the order's file: ``frames`` of them, ``width`` x ``height``, RGB of 8 bits."""

    id: str
    width: int
    height: int
    frames: int


@dataclass(frozen=True)
class Stopped:
    """The order was stopped; the pipeline stays loaded."""

    id: str


@dataclass(frozen=True)
class Failed:
    """The order failed, or with ``id`` None the pipeline could not be loaded.

    ``refused``: the pipeline did not take the arguments, before its first step.
    """

    id: str | None
    code: FailureCode
    message: str


Command = Render | Stop
Event = Ready | Step | Done | Stopped | Failed
Line = Command | Event

_KINDS: dict[str, type[Any]] = {
    kind.__name__.lower(): kind for kind in (Render, Stop, Ready, Step, Done, Stopped, Failed)
}


class Garbled(ValueError):
    """A line that this protocol does not have."""


def encode(line: Line) -> bytes:
    """One line, with its end."""
    return json.dumps({"type": type(line).__name__.lower(), **asdict(line)}).encode() + b"\n"


def decode(line: bytes) -> Line:
    """What a line says. Raises Garbled."""
    try:
        fields = json.loads(line)
        made: Line = _KINDS[fields.pop("type")](**fields)
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise Garbled(f"no line of this protocol: {line[:200]!r}") from fault
    return made
