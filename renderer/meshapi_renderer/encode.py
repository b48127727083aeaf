"""The encoder: H.264 and AAC, or AV1 or VP9 and Opus, through PyAV, with every option fixed.

The bytes of a file are a promise, so nothing here may depend on the machine: encoders run with a fixed
number of threads, x264 without instruction sets that round differently, the container holds no date and
no library version, and colours are converted by the exact paths of swscale.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final, Self, cast

import av
import av.container
import numpy as np
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation
from av.video.stream import VideoStream

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.audio import SAMPLE_RATE, Bed
from meshapi_renderer.formats import DEFAULT_FORMAT, FORMATS, AudioCodec, OutputFormat, VideoCodec
from meshapi_renderer.plan import Weather
from meshapi_renderer.scene import Canvas, Timing

_AUDIO_BIT_RATE: Final = 128_000
_KEYFRAME_SECONDS: Final = 2
_SWSCALE: Final = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
_X264: Final = {
    "threads": "2",
    "lookahead-threads": "1",
    "sliced-threads": "0",
    "cpu-independent": "1",
    "colorprim": "bt709",
    "transfer": "bt709",
    "colormatrix": "bt709",
    "range": "tv",
}
RESTLESS: Final[frozenset[Weather]] = frozenset({"rain", "storm", "snow"})
"""Weather that falls differently in every frame, in which a finer search for motion finds nothing."""
# A fifth to a third of the encoder's time in rain, for the same error and 4 % more bits.
_X264_RESTLESS: Final = {"subme": "1"}
# One thread and no look-ahead keep SVT-AV1 within the memory that x264 takes.
_SVT_AV1: Final = {"lp": "1", "lookahead": "0"}
_VP9: Final = {"b": "0", "deadline": "realtime", "row-mt": "1", "threads": "2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _VideoEncoder:
    """An encoder of FFmpeg and its options for finals and drafts."""

    name: str
    final: dict[str, str]
    draft: dict[str, str]
    parameters: tuple[str, dict[str, str]] | None = None
    """The encoder's own parameters, and the option that carries them."""


_VIDEO: Final[dict[VideoCodec, _VideoEncoder]] = {
    "h264": _VideoEncoder(
        name="libx264",
        final={"preset": "veryfast", "crf": "19"},
        draft={"preset": "ultrafast", "crf": "28"},
        parameters=("x264-params", _X264),
    ),
    "av1": _VideoEncoder(
        name="libsvtav1",
        final={"preset": "10", "crf": "28"},
        draft={"preset": "12", "crf": "42"},
        parameters=("svtav1-params", _SVT_AV1),
    ),
    "vp9": _VideoEncoder(
        name="libvpx-vp9",
        final={**_VP9, "cpu-used": "7", "crf": "30"},
        draft={**_VP9, "cpu-used": "8", "crf": "40"},
    ),
}
_AUDIO: Final[dict[AudioCodec, tuple[str, int]]] = {"aac": ("aac", 1024), "opus": ("libopus", 960)}
"""Encoder, and samples of one of its frames."""


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


class VideoWriter:
    """Writes one video, with sound when given a bed. Frames must come in order.

    Sound is encoded alongside the frames, so that the file interleaves and memory stays bounded.
    """

    def __init__(
        self,
        path: Path,
        canvas: Canvas,
        timing: Timing,
        bed: Bed | None,
        *,
        draft: bool,
        output_format: OutputFormat = DEFAULT_FORMAT,
        restless: bool = False,
    ) -> None:
        """Begin a file. ``restless`` is for pictures that are full of rain or snow (see RESTLESS)."""
        form = FORMATS[output_format]
        options = {"fflags": "+bitexact"}
        if form.container == "mp4":
            options["movflags"] = "+faststart"
        self._container: av.container.OutputContainer = av.open(
            str(path), "w", format=form.container, options=options
        )
        self._timing = timing
        self._video = _video_stream(
            self._container, form.video, canvas, timing, draft=draft, restless=restless
        )
        self._bed = bed
        self._block = _AUDIO[form.audio][1]
        self._audio = _audio_stream(self._container, form.audio) if bed is not None else None
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
            count = min(self._block, self._bed.sample_count - self._sound_at)
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
    container: av.container.OutputContainer,
    codec: VideoCodec,
    canvas: Canvas,
    timing: Timing,
    *,
    draft: bool,
    restless: bool,
) -> VideoStream:
    encoder = _VIDEO[codec]
    stream = cast(VideoStream, container.add_stream(encoder.name, rate=timing.fps))
    stream.width, stream.height, stream.pix_fmt = canvas.width, canvas.height, "yuv420p"
    stream.time_base = Fraction(1, timing.fps)
    options = {**(encoder.draft if draft else encoder.final), "g": str(_KEYFRAME_SECONDS * timing.fps)}
    if encoder.parameters is not None:
        option, parameters = encoder.parameters
        if restless and codec == "h264" and not draft:  # a draft searches less anyhow
            parameters = parameters | _X264_RESTLESS
        options[option] = ":".join(f"{name}={value}" for name, value in parameters.items())
    stream.options = dict(options)
    context = stream.codec_context
    context.flags |= Flags.bitexact
    context.color_range = ColorRange.MPEG
    context.colorspace = Colorspace.ITU709
    context.color_primaries = ColorPrimaries.BT709
    context.color_trc = ColorTrc.BT709
    return stream


def _audio_stream(container: av.container.OutputContainer, codec: AudioCodec) -> AudioStream:
    stream = cast(AudioStream, container.add_stream(_AUDIO[codec][0], rate=SAMPLE_RATE, layout="stereo"))
    stream.bit_rate = _AUDIO_BIT_RATE
    stream.codec_context.flags |= Flags.bitexact
    return stream
