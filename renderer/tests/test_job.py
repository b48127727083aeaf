"""The job and event protocol."""

from __future__ import annotations

import dataclasses
import json
import platform
import subprocess
import sys

import pytest

from meshapi_renderer.job import (
    Done,
    Event,
    Failed,
    InvalidInput,
    Job,
    LastFrame,
    Planned,
    Progress,
    VideoFile,
    command,
    decode_event,
    encode_event,
    environment,
)
from meshapi_renderer.sizes import RESOLUTIONS

_FULL: dict[str, object] = {
    "prompt": "a lake",
    "seed": 1,
    "frames": 120,
    "output": "out.mp4",
    "resolution": "1080p",
    "ratio": "adaptive",
    "fps": 30,
    "camera_fixed": True,
    "watermark": True,
    "draft": True,
    "generate_audio": False,
    "first_frame": "a.png",
    "last_frame": "b.png",
    "reference_images": ["c.png"],
    "return_last_frame": True,
    "last_frame_output": "d.png",
    "threads": 4,
}


def test_a_job_survives_the_way_through_json() -> None:
    job = Job.from_json(json.dumps(_FULL))
    assert Job.from_json(job.to_json()) == job
    assert job.reference_images == ("c.png",)
    assert "\n" not in Job(prompt="two\nlines", seed=0, frames=1, output="o").to_json()


def test_any_prompt_becomes_one_line_of_ascii() -> None:
    for prompt in ("湖边日出", "line\u2028separator", "\ud800 half a pair", "\0"):
        job = Job(prompt=prompt, seed=0, frames=1, output="o")
        assert job.to_json().isascii()
        assert Job.from_json(job.to_json().encode()) == job


def test_only_prompt_seed_frames_and_output_are_needed() -> None:
    job = Job.from_json(b'{"prompt": "x", "seed": 0, "frames": 1, "output": "o.mp4"}')
    assert (job.resolution, job.ratio, job.fps, job.threads) == ("720p", "16:9", 24, 2)


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"seed": -1}, "seed", "between 0 and 4294967295, got -1"),
        ({"seed": 2**32}, "seed", "between"),
        ({"seed": 1.0}, "seed", "must be a whole number, got a number 1.0"),
        ({"seed": True}, "seed", "must be a whole number, got a boolean True"),
        ({"seed": None}, "seed", "got null"),
        ({"frames": 0}, "frames", "between 1 and 1440"),
        ({"frames": 1441}, "frames", "between 1 and 1440"),
        ({"fps": 0}, "fps", "between 1 and 60"),
        ({"threads": 17}, "threads", "between 1 and 16"),
        ({"resolution": "721p"}, "resolution", "one of 480p, 720p, 1080p, 4k; got '721p'"),
        ({"ratio": "2:1"}, "ratio", "one of 16:9"),
        ({"prompt": 5}, "prompt", "must be a string"),
        ({"prompt": "x" * 20_001}, "prompt", "at most 20000"),
        ({"prompt": "  ", "first_frame": None, "last_frame": None}, "prompt", "is empty"),
        ({"draft": "yes"}, "draft", "must be true or false, got a string 'yes'"),
        ({"first_frame": None}, "last_frame", "needs a first_frame"),
        ({"first_frame": ""}, "first_frame", "is not a path"),
        ({"output": "a\0b"}, "output", "is not a path"),
        ({"last_frame_output": None}, "last_frame_output", "is missing"),
        ({"reference_images": "c.png"}, "reference_images", "must be a list of strings"),
        ({"reference_images": [1]}, "reference_images", "must be a list of strings"),
        ({"reference_images": ["c.png"] * 10}, "reference_images", "at most 9"),
        ({"colour": "red"}, "colour", "is not a job field"),
    ],
)
def test_a_bad_value_is_refused_by_name_with_what_would_be_accepted(
    change: dict[str, object], field: str, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        Job.from_json(json.dumps(_FULL | change))
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")


@pytest.mark.parametrize("line", ["", "null", "[]", "{", "[" * 100_000, '"a"', "\xff"])
def test_what_is_not_a_json_object_is_refused(line: str) -> None:
    with pytest.raises(InvalidInput, match="job: "):
        Job.from_json(line)


@pytest.mark.parametrize("missing", ["prompt", "seed", "frames", "output"])
def test_a_missing_field_is_named(missing: str) -> None:
    values = {name: value for name, value in _FULL.items() if name != missing}
    with pytest.raises(InvalidInput, match=f"{missing}: is missing"):
        Job.from_json(json.dumps(values))


def test_a_job_made_in_python_is_checked_as_well() -> None:
    job = Job(prompt="x", seed=1, frames=1, output="o")
    with pytest.raises(InvalidInput, match="frames"):
        dataclasses.replace(job, frames=5000)


def test_a_draft_is_rendered_and_admitted_at_480p() -> None:
    job = Job(prompt="x", seed=1, frames=1, output="o", resolution="4k", draft=True)
    assert job.rendered_resolution == "480p"
    assert job.memory_bound_mb == 350


def test_the_memory_bound_grows_with_resolution_and_threads() -> None:
    bounds = [
        Job(prompt="x", seed=1, frames=1, output="o", resolution=resolution).memory_bound_mb
        for resolution in RESOLUTIONS
    ]
    assert bounds == sorted(bounds)
    many = Job(prompt="x", seed=1, frames=1, output="o", resolution="720p", threads=8)
    assert 600 < many.memory_bound_mb < 1200


@pytest.mark.parametrize(
    "event",
    [
        Planned({"setting": "lake"}),
        Progress(3, 120),
        Failed("invalid_input", "prompt: is empty"),
        Done(
            video=VideoFile(
                path="o.mp4",
                width=864,
                height=480,
                resolution="480p",
                ratio="16:9",
                fps=24,
                frames=120,
                duration=5.0,
                bytes=10,
                sha256="00",
                has_audio=True,
            ),
            last_frame=LastFrame(path="l.png", sha256="11"),
            plan={"setting": "lake"},
            seed=1,
            versions={"numpy": "2"},
        ),
    ],
)
def test_an_event_survives_the_way_through_one_line_of_json(event: Event) -> None:
    line = encode_event(event)
    assert "\n" not in line
    assert decode_event(line) == event


def test_a_done_event_has_the_published_shape() -> None:
    video = VideoFile(
        path="o",
        width=2,
        height=2,
        resolution="480p",
        ratio="1:1",
        fps=24,
        frames=1,
        duration=1 / 24,
        bytes=1,
        sha256="0",
        has_audio=False,
    )
    values = json.loads(encode_event(Done(video=video, last_frame=None, plan={}, seed=5, versions={})))
    assert values["event"] == "done"
    assert values["last_frame"] is None
    assert set(values["video"]) >= {
        "path", "width", "height", "fps", "frames", "duration", "bytes", "sha256", "has_audio",
    }  # fmt: skip


@pytest.mark.parametrize(
    "line", ["", "{}", "[]", '{"event":"x"}', '{"event":"progress"}', '{"event":"done"}']
)
def test_a_line_that_is_no_event_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="renderer event"):
        decode_event(line)


def test_the_child_inherits_what_python_needs_and_no_secret() -> None:
    child = environment({"PATH": "/bin", "HOME": "/h", "ARK_API_KEY": "secret", "OMP_NUM_THREADS": "64"})
    assert child["PATH"] == "/bin"
    assert child["OMP_NUM_THREADS"] == "1"
    assert "ARK_API_KEY" not in child
    if platform.machine().lower() in {"x86_64", "amd64"}:
        assert child["NPY_DISABLE_CPU_FEATURES"] == "X86_V4 AVX512_ICL AVX512_SPR"


def test_the_command_is_this_python_running_the_package() -> None:
    assert command() == [sys.executable, "-m", "meshapi_renderer"]


def test_the_protocol_can_be_used_without_loading_the_renderer() -> None:
    code = (
        "import sys, meshapi_renderer.job, meshapi_renderer.sizes;"
        "print(sorted({'numpy', 'cv2', 'av', 'PIL'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
