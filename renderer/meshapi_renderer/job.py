"""The border of the renderer: one job in, a stream of events out.

A server starts the child process named by `command()` in the environment of `environment()`, writes
one job as a line of JSON to its standard input, keeps that input open, and reads one event per line
from its standard output. Closing the input, or SIGTERM, stops the render.

This module imports nothing outside the standard library, so that a server can use it without
loading NumPy, OpenCV or FFmpeg.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Final, Literal

from meshapi_renderer.formats import DEFAULT_FORMAT, OUTPUT_FORMATS, OutputFormat
from meshapi_renderer.sizes import MEMORY_BOUNDS_MB, RATIOS, RESOLUTIONS, Ratio, Resolution

MAX_FRAMES: Final = 1440
MAX_FPS: Final = 60
MAX_THREADS: Final = 16
MAX_SEED: Final = 2**32 - 1
MAX_PROMPT: Final = 20_000
MAX_REFERENCES: Final = 9
MAX_JOB_BYTES: Final = 1 << 20

EXIT_DONE: Final = 0
EXIT_INTERNAL: Final = 1
EXIT_INVALID: Final = 2
EXIT_CANCELLED: Final = 143
"""128 + SIGTERM: the parent closed the input, died, or asked the process to stop."""

ErrorCode = Literal["invalid_input", "internal_error"]


class InvalidInput(ValueError):
    """The job cannot be rendered as asked; the message is meant for the person who asked.

    Attributes:
        field: The job field at fault, such as "first_frame".
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything one render needs. Checked when made: a `Job` that exists can be started.

    Attributes:
        prompt: What to show. May be empty only when there is a first frame.
        seed: 0..2**32-1. The same job gives the same bytes.
        resolution: "480p", "720p", "1080p" or "4k"; a draft is always rendered at 480p.
        ratio: Picture shape; "adaptive" takes the ratio nearest to the first frame, else 16:9.
        fps: Frames per second, 1..60.
        frames: Number of frames, 1..1440: round(duration * fps), so 5 s at 24 fps are 120.
        camera_fixed: Hold the camera still; water, clouds, particles and lights still move.
        watermark: Draw "AI generated" in the lower right corner.
        draft: A quick 480p preview of the same composition.
        generate_audio: Add an ambient sound bed that fits the scene.
        first_frame: Path of an image the video starts with.
        last_frame: Path of an image the video ends with; needs `first_frame`.
        reference_images: Paths of images: a thing that stands free is put into the scene, the others give
            it their colours.
        output: Path of the video to write; its folder must exist.
        output_format: "mp4" (H.264 and AAC), "mp4-av1" or "webm-av1" (AV1 and Opus), "webm" (VP9 and Opus).
        return_last_frame: Also write the final frame, before encoding, as a PNG.
        last_frame_output: Path of that PNG.
        threads: Render worker threads. Changes the time taken, never a byte of the result.
    """

    prompt: str
    seed: int
    frames: int
    output: str
    resolution: Resolution = "720p"
    ratio: Ratio = "16:9"
    fps: int = 24
    camera_fixed: bool = False
    watermark: bool = False
    draft: bool = False
    generate_audio: bool = True
    first_frame: str | None = None
    last_frame: str | None = None
    reference_images: tuple[str, ...] = ()
    return_last_frame: bool = False
    last_frame_output: str | None = None
    output_format: OutputFormat = DEFAULT_FORMAT
    threads: int = 2

    def __post_init__(self) -> None:
        _check_types(self)
        _check_range("seed", self.seed, 0, MAX_SEED)
        _check_range("frames", self.frames, 1, MAX_FRAMES)
        _check_range("fps", self.fps, 1, MAX_FPS)
        _check_range("threads", self.threads, 1, MAX_THREADS)
        _check_choice("resolution", self.resolution, RESOLUTIONS)
        _check_choice("ratio", self.ratio, RATIOS)
        _check_choice("output_format", self.output_format, OUTPUT_FORMATS)
        if len(self.prompt) > MAX_PROMPT:
            raise InvalidInput(
                "prompt", f"has {len(self.prompt)} characters; at most {MAX_PROMPT} are accepted"
            )
        if not self.prompt.strip() and self.first_frame is None:
            raise InvalidInput("prompt", "is empty; say what to show, or give a first frame")
        if len(self.reference_images) > MAX_REFERENCES:
            raise InvalidInput(
                "reference_images",
                f"has {len(self.reference_images)} images; at most {MAX_REFERENCES} are accepted",
            )
        self._check_paths()

    def _check_paths(self) -> None:
        if self.last_frame is not None and self.first_frame is None:
            raise InvalidInput("last_frame", "needs a first_frame: a last frame alone cannot be rendered")
        if self.return_last_frame and self.last_frame_output is None:
            raise InvalidInput("last_frame_output", "is missing; return_last_frame needs a path to write to")
        paths = {"output": self.output, "first_frame": self.first_frame, "last_frame": self.last_frame}
        paths["last_frame_output"] = self.last_frame_output
        paths |= {f"reference_images[{index}]": path for index, path in enumerate(self.reference_images)}
        for name, path in paths.items():
            if path is not None and (not path or "\0" in path):
                raise InvalidInput(name, f"{path!r} is not a path")

    @property
    def rendered_resolution(self) -> Resolution:
        """The resolution that will be rendered: 480p for a draft."""
        return "480p" if self.draft else self.resolution

    @property
    def memory_bound_mb(self) -> int:
        """Resident memory in MB (10^6 bytes) past which the render process ends itself.

        By resolution, for two threads; every further thread brings its own buffers.
        """
        further = max(0, self.threads - 2)
        return round(MEMORY_BOUNDS_MB[self.rendered_resolution] * (1 + 0.12 * further))

    def to_json(self) -> str:
        """Return the job as one line of JSON, without the line end."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str | bytes) -> Job:
        """Read a job from JSON.

        Raises:
            InvalidInput: not JSON, not an object, an unknown or missing field, a wrong type or value.
        """
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InvalidInput("job", f"is not JSON: {error}") from error
        if not isinstance(values, dict):
            raise InvalidInput("job", f"must be a JSON object, got {_json_kind(values)}")
        known = {field.name for field in fields(cls)}
        for name in values:
            if name not in known:
                raise InvalidInput(
                    str(name), f"is not a job field; the fields are {', '.join(sorted(known))}"
                )
        for name in _REQUIRED:
            if name not in values:
                raise InvalidInput(name, "is missing")
        references = values.get("reference_images")
        if isinstance(references, list):
            values["reference_images"] = tuple(references)
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Planned:
    """The prompt has been read; `plan` is `ScenePlan.to_json()`."""

    plan: dict[str, object]


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` frames are encoded. Sent at least every 0.25 s, with 0 while baking."""

    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFile:
    """The finished video. `duration` is frames / fps in seconds; `sha256` is hexadecimal."""

    path: str
    width: int
    height: int
    resolution: Resolution
    ratio: Ratio
    fps: int
    frames: int
    duration: float
    bytes: int
    sha256: str
    has_audio: bool
    output_format: OutputFormat = DEFAULT_FORMAT
    media_type: str = "video/mp4"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastFrame:
    """The final frame as a PNG."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The files are in place. Nothing follows."""

    video: VideoFile
    last_frame: LastFrame | None
    plan: dict[str, object]
    seed: int
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Failed:
    """The render ended without a video. Nothing follows."""

    code: ErrorCode
    message: str


Event = Planned | Progress | Done | Failed

_EVENT_NAMES: Final[dict[type, str]] = {Planned: "plan", Progress: "progress", Done: "done", Failed: "error"}


def encode_event(event: Event) -> str:
    """Return the event as one line of JSON, without the line end."""
    return json.dumps({"event": _EVENT_NAMES[type(event)], **asdict(event)}, separators=(",", ":"))


def decode_event(line: str | bytes) -> Event:
    """Read one line of the child's output.

    Raises:
        ValueError: the line is not an event of this protocol.
    """
    try:
        values = json.loads(line)
        name = values.pop("event")
        if name == "plan":
            return Planned(**values)
        if name == "progress":
            return Progress(**values)
        if name == "done":
            last_frame = values.pop("last_frame")
            return Done(
                video=VideoFile(**values.pop("video")),
                last_frame=LastFrame(**last_frame) if last_frame else None,
                **values,
            )
        if name == "error":
            return Failed(**values)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a renderer event: {line[:200]!r}") from error
    raise ValueError(f"unknown renderer event {name!r}")


def command() -> list[str]:
    """Return the command line of the render process."""
    return [sys.executable, "-m", "meshapi_renderer"]


_KEPT_VARIABLES: Final = (
    "PATH", "HOME", "TMPDIR", "TEMP", "TMP", "LANG", "LC_ALL", "LC_CTYPE", "SYSTEMROOT", "PYTHONPATH",
    "VIRTUAL_ENV", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
)  # fmt: skip
_PINNED_VARIABLES: Final = {
    # One thread per library call: the render workers are the parallelism.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
    "OPENCV_OPENCL_RUNTIME": "disabled",
    "MALLOC_ARENA_MAX": "2",
    # Keep the memory of one frame for the next: fetching it anew costs a tenth of a frame's time.
    "MALLOC_MMAP_THRESHOLD_": str(64 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(128 << 20),
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    # SVT-AV1 would greet on standard error; it shall only tell of errors.
    "SVT_LOG": "1",
}
_X86_VARIABLES: Final = {
    # NumPy's AVX-512 kernels round differently from its AVX2 ones. These are NumPy 2.4's group names.
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}


def environment(base: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the render process, made from the parent's.

    Only what a Python process needs to start is passed on, so that no key of the parent reaches the
    child; the rest pins what the bytes of a video depend on.
    """
    kept = {name: base[name] for name in _KEPT_VARIABLES if name in base}
    x86 = platform.machine().lower() in {"x86_64", "amd64"}
    return kept | _PINNED_VARIABLES | (_X86_VARIABLES if x86 else {})


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_whole(value: object) -> bool:
    return type(value) is int


def _is_flag(value: object) -> bool:
    return type(value) is bool


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_texts(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, str) for item in value)


_TYPES: Final[dict[str, tuple[str, Callable[[object], bool]]]] = {
    "prompt": ("a string", _is_text),
    "seed": ("a whole number", _is_whole),
    "frames": ("a whole number", _is_whole),
    "output": ("a string", _is_text),
    "resolution": ("a string", _is_text),
    "ratio": ("a string", _is_text),
    "fps": ("a whole number", _is_whole),
    "camera_fixed": ("true or false", _is_flag),
    "watermark": ("true or false", _is_flag),
    "draft": ("true or false", _is_flag),
    "generate_audio": ("true or false", _is_flag),
    "first_frame": ("a string or null", _is_text_or_none),
    "last_frame": ("a string or null", _is_text_or_none),
    "reference_images": ("a list of strings", _is_texts),
    "return_last_frame": ("true or false", _is_flag),
    "last_frame_output": ("a string or null", _is_text_or_none),
    "output_format": ("a string", _is_text),
    "threads": ("a whole number", _is_whole),
}
_REQUIRED: Final = ("prompt", "seed", "frames", "output")


def _check_types(job: Job) -> None:
    for name, (wanted, matches) in _TYPES.items():
        value = getattr(job, name)
        if not matches(value):
            raise InvalidInput(name, f"must be {wanted}, got {_json_kind(value)} {_shown(value)}")


def _check_range(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InvalidInput(name, f"must be between {low} and {high}, got {value}")


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InvalidInput(name, f"must be one of {', '.join(choices)}; got {_shown(value)}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _json_kind(value: object) -> str:
    kinds: dict[type, str] = {dict: "an object", list: "a list", tuple: "a list", str: "a string"}
    kinds |= {bool: "a boolean", int: "a number", float: "a number", type(None): "null"}
    return kinds.get(type(value), type(value).__name__)
