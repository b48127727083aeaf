"""Raw frames to a video file, and pictures to frames: with the encoder and the readers of the renderer."""

from pathlib import Path

import numpy as np
from PIL import Image

from meshapi_renderer.encode import VideoWriter, video_frame
from meshapi_renderer.job import InvalidInput
from meshapi_renderer.pictures import inspect_picture, load_picture
from meshapi_renderer.scene import Canvas, Timing

__all__ = ["FilmBroken", "InvalidInput", "encode", "fit_picture", "picture_size"]


class FilmBroken(Exception):
    """The file of frames has not the length that its size and count ask for."""


def picture_size(picture: Path, field: str) -> tuple[int, int]:
    """Width and height of a picture as it is meant to be seen. Raises InvalidInput naming ``field``."""
    seen = inspect_picture(str(picture), field)
    return seen.width, seen.height


def fit_picture(picture: Path, field: str, extent: tuple[int, int], target: Path) -> None:
    """Write the picture as a PNG that fills exactly that extent. Raises InvalidInput naming ``field``."""
    width, height = extent
    Image.fromarray(load_picture(str(picture), field, width, height)).save(target, "PNG")


def encode(
    frames: Path, extent: tuple[int, int], count: int, fps: int, video: Path, last_frame: Path | None
) -> None:
    """Write the frames (RGB, 8 bits, one after the other) as an MP4, and the last one as a PNG.

    Raises FilmBroken.
    """
    width, height = extent
    bytes_each = width * height * 3
    if frames.stat().st_size != bytes_each * count:
        raise FilmBroken(f"{frames.stat().st_size} bytes are no {count} frames of {width}x{height}")
    pixels = np.memmap(frames, np.uint8, "r", shape=(count, height, width, 3))
    timing = Timing(fps=fps, frames=count)
    with VideoWriter(video, Canvas(width, height), timing, None, draft=False) as writer:
        for index in range(count):
            writer.write(video_frame(np.array(pixels[index]), index, fps))
    if last_frame is not None:
        Image.fromarray(np.array(pixels[-1])).save(last_frame, "PNG")
