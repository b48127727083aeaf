"""The video formats a job may ask for. This module imports nothing outside the standard library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

OutputFormat = Literal["mp4", "mp4-av1", "webm", "webm-av1"]
OUTPUT_FORMATS: Final[tuple[OutputFormat, ...]] = get_args(OutputFormat)
DEFAULT_FORMAT: Final[OutputFormat] = "mp4"

VideoCodec = Literal["h264", "av1", "vp9"]
AudioCodec = Literal["aac", "opus"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A container and what is in it."""

    container: Literal["mp4", "webm"]
    video: VideoCodec
    audio: AudioCodec

    @property
    def media_type(self) -> str:
        """The media type (RFC 6838) of a file of this format."""
        return f"video/{self.container}"


FORMATS: Final[dict[OutputFormat, Format]] = {
    "mp4": Format(container="mp4", video="h264", audio="aac"),
    "mp4-av1": Format(container="mp4", video="av1", audio="opus"),
    "webm": Format(container="webm", video="vp9", audio="opus"),
    "webm-av1": Format(container="webm", video="av1", audio="opus"),
}
"""H.264 plays everywhere; AV1 and VP9 with Opus are free of royalties by their makers' licences."""
