"""MP4s decoded back, for what tests say of videos."""

from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Decoded:
    """What a player would see and hear. Frames are RGB; ``loudness`` is the sound's RMS in dBFS."""

    codec: str
    audio_codec: str | None
    width: int
    height: int
    fps: float
    seconds: float
    frames: list[Image]
    loudness: float | None


def decode(path: Path) -> Decoded:
    """Every frame and sample of a file."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        sound = container.streams.audio[0] if container.streams.audio else None
        frames: list[Image] = []
        samples: list[NDArray[np.float32]] = []
        for frame in container.decode(*(stream for stream in (video, sound) if stream is not None)):
            if isinstance(frame, av.VideoFrame):
                frames.append(frame.to_ndarray(format="rgb24", src_colorspace="ITU709"))
            elif isinstance(frame, av.AudioFrame):
                samples.append(frame.to_ndarray().astype(np.float32))
        assert video.average_rate is not None
        assert video.duration is not None
        assert video.time_base is not None
        loudness = None
        if samples:
            power = float(np.mean(np.concatenate(samples, axis=1) ** 2))
            loudness = 10 * float(np.log10(power)) if power > 0 else float("-inf")
        return Decoded(
            codec=video.codec_context.name,
            audio_codec=sound.codec_context.name if sound is not None else None,
            width=video.width,
            height=video.height,
            fps=float(video.average_rate),
            seconds=float(video.duration * video.time_base),
            frames=frames,
            loudness=loudness,
        )


def psnr(one: Image, other: Image) -> float:
    """Peak signal-to-noise ratio in dB; infinite for equal pictures."""
    error = float(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def read_image(data: bytes) -> Image:
    """A picture file's pixels, RGB."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)
