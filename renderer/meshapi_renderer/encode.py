"""The MP4 encoder: H.264 and AAC through PyAV, with every option fixed.

The bytes of a file are a promise, so nothing here may depend on the machine: x264 runs with a fixed
number of threads and without instruction sets that round differently, the container holds no date and
no library version, and colours are converted by the exact paths of swscale.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import av
import av.container
import numpy as np
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation
from av.video.stream import VideoStream

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.audio import SAMPLE_RATE, Bed
from meshapi_renderer.scene import Canvas, Timing

_AUDIO_BLOCK: Final = 1024
"""Samples of one AAC frame."""
_AUDIO_BIT_RATE: Final = 128_000
_KEYFRAME_SECONDS: Final = 2
_SWSCALE: Final = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
_FINAL_QUALITY: Final = {"preset": "veryfast", "crf": "19"}
_DRAFT_QUALITY: Final = {"preset": "ultrafast", "crf": "28"}


def video_frame(rgb: Bytes8, index: int, fps: int) -> av.VideoFrame:
    """Return an RGB frame as BT.709 limited-range 4:2:0, stamped with its place in time."""
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
        format="yuv420p",
        src_colorspace=Colorspace.ITU709,
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        interpolation=_SWSCALE,
        threads=1,
    )
    frame.pts = index
    frame.time_base = Fraction(1, fps)
    return frame


class Mp4Writer:
    """Writes one video, with sound when given a bed. Frames must come in order.

    Sound is encoded alongside the frames, so that the file interleaves and memory stays bounded.
    """

    def __init__(self, path: Path, canvas: Canvas, timing: Timing, bed: Bed | None, *, draft: bool) -> None:
        options = {"movflags": "+faststart", "fflags": "+bitexact"}
        self._container: av.container.OutputContainer = av.open(str(path), "w", format="mp4", options=options)
        self._timing = timing
        self._video = _video_stream(self._container, canvas, timing, draft=draft)
        self._bed = bed
        self._audio = _audio_stream(self._container) if bed is not None else None
        self._sound_at = 0

    def write(self, frame: av.VideoFrame) -> None:
        """Encode the next frame and the sound up to its end."""
        self._container.mux(self._video.encode(frame))
        self._write_sound((frame.pts or 0) + 1)

    def finish(self) -> None:
        """Flush the encoders and close the file."""
        self._container.mux(self._video.encode(None))
        if self._audio is not None:
            self._write_sound(self._timing.frames)
            self._container.mux(self._audio.encode(None))
        self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.finish()
        else:
            self._container.close()

    def _write_sound(self, frames: int) -> None:
        """Encode whole blocks of sound that begin before the end of so many frames."""
        if self._bed is None or self._audio is None:
            return
        wanted = min(self._bed.sample_count, frames * SAMPLE_RATE // self._timing.fps)
        last = frames >= self._timing.frames
        while self._sound_at < wanted:
            count = min(_AUDIO_BLOCK, self._bed.sample_count - self._sound_at)
            if not last and self._sound_at + count > wanted:
                return
            samples = np.ascontiguousarray(self._bed.read(self._sound_at, count))
            sound = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
            sound.sample_rate = SAMPLE_RATE
            sound.pts = self._sound_at
            sound.time_base = Fraction(1, SAMPLE_RATE)
            self._container.mux(self._audio.encode(sound))
            self._sound_at += count


def _video_stream(
    container: av.container.OutputContainer, canvas: Canvas, timing: Timing, *, draft: bool
) -> VideoStream:
    stream = container.add_stream("libx264", rate=timing.fps)
    stream.width, stream.height, stream.pix_fmt = canvas.width, canvas.height, "yuv420p"
    stream.time_base = Fraction(1, timing.fps)
    parameters = {
        "threads": 2,
        "lookahead-threads": 1,
        "sliced-threads": 0,
        "cpu-independent": 1,
        "keyint": _KEYFRAME_SECONDS * timing.fps,
        "colorprim": "bt709",
        "transfer": "bt709",
        "colormatrix": "bt709",
        "range": "tv",
    }
    x264 = ":".join(f"{name}={value}" for name, value in parameters.items())
    stream.options = {**(_DRAFT_QUALITY if draft else _FINAL_QUALITY), "x264-params": x264}
    context = stream.codec_context
    context.flags |= Flags.bitexact
    context.color_range = ColorRange.MPEG
    context.colorspace = Colorspace.ITU709
    context.color_primaries = ColorPrimaries.BT709
    context.color_trc = ColorTrc.BT709
    return stream


def _audio_stream(container: av.container.OutputContainer) -> AudioStream:
    stream = container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
    stream.bit_rate = _AUDIO_BIT_RATE
    stream.codec_context.flags |= Flags.bitexact
    return stream
