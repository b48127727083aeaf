"""What was asked (by the caller, or by the model's defaults) beside what the stored video was measured to be.

Upstreams round: 5 s are 121 frames at one and 120 at another, ``720p`` is an area at one and a height at
another. Only what a viewer would call something else is told.
"""

import re
from collections.abc import Iterator

from msgspec.structs import replace

from .spec import Spec
from .task import Facts, Measured, Probed

_SECONDS = 0.5
_FRAMES = 1
_RATIO = 0.06  # of the ratio asked for: sizes are rounded to multiples of 16 or 32
_SIDE = 0.12  # of the side that a resolution names
_AREA = 0.2  # of the area of a 16:9 picture with that side
_SIDES = {"2k": 1440, "4k": 2160, "8k": 4320}
_PICTURES = frozenset({"first_frame", "last_frame"})


def differences(asked: Spec, measured: Measured, *, has_last_frame: bool) -> tuple[str, ...]:
    """One sentence for each thing that is not as asked; none when all is well or nothing was measured."""
    found = list(_different(asked, measured.probed)) if measured.probed is not None else []
    if measured.problem is not None:
        found.append(f"The video could not be checked: {measured.problem}.")
    if asked.return_last_frame and not has_last_frame:
        found.append("A last frame was asked for; the upstream gave none.")
    return tuple(found)


def facts_of(stated: Facts, probed: Probed | None) -> Facts:
    """What was rendered: as measured where the upstream states nothing, or something else than there is."""
    if probed is None:
        return stated
    near = stated.duration is not None and abs(stated.duration - probed.duration) <= _SECONDS
    return replace(
        stated,
        width=probed.width,
        height=probed.height,
        duration=stated.duration if near else _rounded(probed.duration),
        frames=probed.frames or stated.frames,
        fps=round(probed.fps) if probed.fps else stated.fps,
        audio=probed.audio,
    )


def _different(asked: Spec, probed: Probed) -> Iterator[str]:
    yield from _length(asked, probed)
    if asked.resolution is not None and not asked.draft:
        yield from _size(asked.resolution, probed)
    if asked.ratio is not None and not any(item.role in _PICTURES for item in asked.content):
        yield from _shape(asked.ratio, probed)
    if asked.generate_audio and not probed.audio:
        yield "Audio was expected; the video has none."
    if asked.generate_audio is False and probed.audio:
        yield "A silent video was expected; the video has audio."


def _length(asked: Spec, probed: Probed) -> Iterator[str]:
    if asked.frames is not None and probed.frames is not None:
        if abs(asked.frames - probed.frames) > _FRAMES:
            yield f"{asked.frames} frames were expected; the video has {probed.frames}."
        return
    wanted = asked.duration or -1  # which leaves it to the model
    if asked.frames is None and wanted > 0 and abs(wanted - probed.duration) > _SECONDS:
        yield f"{wanted} s were expected; the video lasts {_rounded(probed.duration):g} s."


def _size(resolution: str, probed: Probed) -> Iterator[str]:
    side = _side(resolution)
    if side is None:
        return
    short = min(probed.width, probed.height)
    area = side * side * 16 / 9
    near = abs(short - side) <= _SIDE * side or abs(probed.width * probed.height - area) <= _AREA * area
    if not near:
        yield f"{resolution} was expected; the video is {probed.width} x {probed.height}."


def _shape(ratio: str, probed: Probed) -> Iterator[str]:
    match = re.fullmatch(r"(\d{1,5}):(\d{1,5})", ratio)
    if match is None or not int(match[1]) or not int(match[2]):
        return  # `adaptive` and the like leave it to the model
    wanted = int(match[1]) / int(match[2])
    if abs(probed.width / probed.height - wanted) > _RATIO * wanted:
        yield f"The ratio {ratio} was expected; the video is {probed.width} x {probed.height}."


def _side(resolution: str) -> int | None:
    """The shorter side that a name such as 720p or 4k stands for."""
    match = re.fullmatch(r"(\d{3,4})p", resolution)
    return int(match[1]) if match else _SIDES.get(resolution.lower())


def _rounded(seconds: float) -> float:
    return round(seconds, 3)
