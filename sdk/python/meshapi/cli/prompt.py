"""What ``generate`` and ``quote`` are asked for: the options of a create, and the request they make."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from . import images

DEFAULT_MODEL = "mesh/diorama-1"

Prompt = Annotated[str, typer.Argument(help="What to show; - reads it from standard input.")]
ModelId = Annotated[str, typer.Option("--model", help="Model id, see `meshapi models`.")]
Duration = Annotated[int | None, typer.Option(help="Seconds; -1 lets the model decide.")]
Resolution = Annotated[str | None, typer.Option(help="480p, 720p, 1080p or 4k.")]
Ratio = Annotated[str | None, typer.Option(help="16:9, 4:3, 1:1, 3:4, 9:16, 21:9 or adaptive.")]
Seed = Annotated[int | None, typer.Option(help="The same seed gives the same video.")]
Images = Annotated[
    list[str] | None,
    typer.Option(
        "--image", help="File or URL: one is the first frame, two first and last, more are references."
    ),
]
Audio = Annotated[bool | None, typer.Option("--audio/--no-audio", help="With or without sound.")]
CameraFixed = Annotated[bool | None, typer.Option("--camera-fixed", help="Keep the camera still.")]


def fields(
    prompt: str,
    *,
    model: str,
    duration: int | None,
    resolution: str | None,
    ratio: str | None,
    seed: int | None,
    image: list[str] | None,
    audio: bool | None,
    camera_fixed: bool | None,
) -> dict[str, Any]:
    """The parameters of a create. A prompt of ``-`` is read from standard input."""
    text = sys.stdin.read().strip() if prompt == "-" else prompt
    return {
        "model": model,
        "content": [{"type": "text", "text": text}, *images.items(image or [])],
        "duration": duration,
        "resolution": resolution,
        "ratio": ratio,
        "seed": seed,
        "generate_audio": audio,
        "camera_fixed": camera_fixed,
    }
