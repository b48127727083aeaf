"""Whole videos, rendered and decoded back."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.compose import build_scene, compose, plan_for
from meshapi_renderer.encode import RESTLESS, VideoWriter, video_frame
from meshapi_renderer.job import Done, Event, InvalidInput, Job, Planned, Progress
from meshapi_renderer.outputs import Outputs
from meshapi_renderer.overlay import Watermark
from meshapi_renderer.pictures import load_picture
from meshapi_renderer.render import render
from meshapi_renderer.scene import Canvas, Scratch

_FRAMES = 12
Photo = Callable[..., str]


@dataclasses.dataclass(frozen=True)
class _Decoded:
    pictures: list[Bytes8]
    sound: np.ndarray[tuple[int, int], np.dtype[np.float32]] | None
    size: tuple[int, int]
    seconds: float
    video_seconds: float
    codecs: tuple[str, ...]
    colours: tuple[int, int]


def _decode(path: str) -> _Decoded:
    with av.open(path) as container:
        video = container.streams.video[0]
        frames = [(frame.to_ndarray(format="rgb24"), frame) for frame in container.decode(video)]
        colours = (int(frames[0][1].colorspace), int(frames[0][1].color_range))
        codecs = tuple(stream.codec_context.name for stream in container.streams)
        video_seconds = float((video.duration or 0) * (video.time_base or 0))
        seconds = (container.duration or 0) / 1e6
        size = (video.width, video.height)
    sound = None
    if len(codecs) > 1:
        with av.open(path) as container:
            blocks = [block.to_ndarray() for block in container.decode(audio=0)]
            sound = np.concatenate(blocks, axis=1).astype(np.float32)
    pictures = [picture.astype(np.uint8, copy=False) for picture, _ in frames]
    return _Decoded(pictures, sound, size, seconds, video_seconds, codecs, colours)


def _psnr(left: Bytes8, right: Bytes8) -> float:
    error = float(np.mean((left.astype(np.float64) - right) ** 2))
    return 10 * math.log10(255**2 / error) if error else math.inf


def _render(folder: Path, name: str = "video.mp4", **values: object) -> Done:
    job = {"prompt": "Abstract neon waves", "seed": 5, "frames": _FRAMES, "resolution": "480p"}
    return render(Job(**{**job, "output": str(folder / name), **values}), Outputs(), lambda event: None)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def neon(tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, _Decoded]:
    """Return one plain video with sound, and what decoding it gives."""
    done = _render(tmp_path_factory.mktemp("neon"))
    return done, _decode(done.video.path)


def test_the_video_has_the_size_the_frames_and_the_codecs_it_reports(neon: tuple[Done, _Decoded]) -> None:
    done, decoded = neon
    assert decoded.size == (done.video.width, done.video.height) == (864, 480)
    assert len(decoded.pictures) == done.video.frames == _FRAMES
    assert decoded.codecs == ("h264", "aac")
    assert (done.video.resolution, done.video.ratio) == ("480p", "16:9")


def test_the_duration_is_exactly_frames_over_rate(neon: tuple[Done, _Decoded]) -> None:
    done, decoded = neon
    assert done.video.duration == _FRAMES / 24
    assert decoded.video_seconds == pytest.approx(_FRAMES / 24, abs=1e-6)
    assert decoded.seconds == pytest.approx(_FRAMES / 24, abs=0.002), "sound does not lengthen the file"


def test_the_reported_bytes_and_hash_are_those_of_the_file(neon: tuple[Done, _Decoded]) -> None:
    done, _ = neon
    content = Path(done.video.path).read_bytes()
    assert done.video.bytes == len(content)
    assert done.video.sha256 == hashlib.sha256(content).hexdigest()


def test_the_index_comes_before_the_data_so_that_playing_starts_at_once(neon: tuple[Done, _Decoded]) -> None:
    content = Path(neon[0].video.path).read_bytes()
    boxes, position = [], 0
    while position < len(content):
        boxes.append(content[position + 4 : position + 8])
        position += int.from_bytes(content[position : position + 4], "big")
    assert boxes.index(b"moov") < boxes.index(b"mdat")


def test_colours_are_tagged_as_bt709_in_video_range(neon: tuple[Done, _Decoded]) -> None:
    assert neon[1].colours == (1, 1)


def test_the_sound_can_be_heard_and_is_stereo(neon: tuple[Done, _Decoded]) -> None:
    sound = neon[1].sound
    assert sound is not None
    assert sound.shape[0] == 2
    level = 10 * math.log10(float(np.mean(np.square(sound, dtype=np.float64))))
    assert -34 < level < -16


def test_the_file_names_no_date_and_no_library_version(neon: tuple[Done, _Decoded]) -> None:
    content = Path(neon[0].video.path).read_bytes()
    assert b"Lavf" not in content
    assert b"Lavc" not in content


def test_a_video_without_sound_has_no_sound_track(tmp_path: Path) -> None:
    done = _render(tmp_path, generate_audio=False, frames=3)
    assert done.video.has_audio is False
    assert _decode(done.video.path).codecs == ("h264",)


def test_encoding_keeps_the_drawn_colours(neon: tuple[Done, _Decoded]) -> None:
    job = Job(prompt="Abstract neon waves", seed=5, frames=_FRAMES, output="x", resolution="480p")
    drawn = build_scene(compose(job)).frame(0, Scratch())
    assert _psnr(drawn, neon[1].pictures[0]) > 30
    shift = np.abs(drawn.mean(axis=(0, 1)) - neon[1].pictures[0].mean(axis=(0, 1)))
    assert shift.max() < 2.5, "a wrong matrix or range shifts saturated colours by ten and more"


def test_the_same_job_gives_the_same_bytes_whatever_the_number_of_threads(
    neon: tuple[Done, _Decoded], tmp_path: Path
) -> None:
    for threads in (1, 3):
        assert _render(tmp_path, threads=threads).video.sha256 == neon[0].video.sha256


def test_another_seed_gives_another_picture(neon: tuple[Done, _Decoded], tmp_path: Path) -> None:
    other = _decode(_render(tmp_path, seed=6, frames=2).video.path)
    assert np.abs(other.pictures[0].astype(int) - neon[1].pictures[0]).mean() > 3


def test_the_watermark_is_visible_in_the_corner_and_nowhere_else(
    neon: tuple[Done, _Decoded], tmp_path: Path
) -> None:
    marked = _decode(_render(tmp_path, watermark=True).video.path)
    left, top, right, bottom = Watermark(Canvas(864, 480)).box
    for index in (0, _FRAMES - 1):
        change = np.abs(marked.pictures[index].astype(int) - neon[1].pictures[index])
        assert change[top:bottom, left:right].max() > 60
        change[top - 16 : bottom + 16, left - 16 : right + 16] = 0
        assert change.mean() < 1.0


def test_the_returned_last_frame_is_the_final_frame_before_encoding(tmp_path: Path) -> None:
    picture = tmp_path / "last.png"
    done = _render(tmp_path, return_last_frame=True, last_frame_output=str(picture), watermark=True)
    assert done.last_frame is not None
    assert done.last_frame.sha256 == hashlib.sha256(picture.read_bytes()).hexdigest()
    job = Job(prompt="Abstract neon waves", seed=5, frames=_FRAMES, output="x", resolution="480p")
    expected = build_scene(compose(job)).frame(_FRAMES - 1, Scratch()).copy()
    Watermark(Canvas(864, 480)).stamp(expected)
    assert np.array_equal(np.asarray(Image.open(picture)), expected)
    assert _psnr(_decode(done.video.path).pictures[-1], expected) > 30


@pytest.mark.parametrize(
    ("output_format", "codecs", "media_type", "signature"),
    [
        ("mp4-av1", ("libdav1d", "libopus"), "video/mp4", b"ftyp"),
        ("webm", ("libvpx-vp9", "libopus"), "video/webm", b"\x1aE\xdf\xa3"),
        ("webm-av1", ("libdav1d", "libopus"), "video/webm", b"\x1aE\xdf\xa3"),
    ],
)
def test_royalty_free_formats_hold_the_same_picture_and_sound(
    neon: tuple[Done, _Decoded],
    tmp_path: Path,
    output_format: str,
    codecs: tuple[str, ...],
    media_type: str,
    signature: bytes,
) -> None:
    done = _render(tmp_path, "video.bin", output_format=output_format)
    decoded = _decode(done.video.path)
    assert (done.video.output_format, done.video.media_type) == (output_format, media_type)
    assert signature in Path(done.video.path).read_bytes()[:8]
    assert len(decoded.pictures) == _FRAMES
    assert _kinds(decoded.codecs) == _kinds(codecs)
    assert decoded.colours == (1, 1)
    assert decoded.seconds == pytest.approx(_FRAMES / 24, abs=0.06)
    assert min(map(_psnr, decoded.pictures, neon[1].pictures)) > 30
    assert decoded.sound is not None
    level = 10 * math.log10(float(np.mean(np.square(decoded.sound, dtype=np.float64))))
    assert -34 < level < -16


def _kinds(codecs: tuple[str, ...]) -> tuple[str, ...]:
    """Names of codecs, whichever decoder of a codec is at work."""
    return tuple(
        next(kind for kind, names in _DECODERS.items() if any(name in codec for name in names))
        for codec in codecs
    )


_DECODERS = {"av1": ("av1", "dav1d"), "vp9": ("vp9",), "opus": ("opus",), "h264": ("h264",), "aac": ("aac",)}


@pytest.mark.parametrize("output_format", ["mp4-av1", "webm"])
def test_royalty_free_formats_give_the_same_bytes_again(tmp_path: Path, output_format: str) -> None:
    first = _render(tmp_path, "a.bin", output_format=output_format, frames=8, threads=1)
    second = _render(tmp_path, "b.bin", output_format=output_format, frames=8, threads=3)
    assert first.video.sha256 == second.video.sha256
    content = Path(first.video.path).read_bytes()
    assert b"Lavf6" not in content, "no library version"


def test_a_draft_is_a_smaller_preview_of_the_same_plan(tmp_path: Path) -> None:
    final = _render(tmp_path, "final.mp4", resolution="720p", frames=3)
    draft = _render(tmp_path, "draft.mp4", resolution="720p", frames=3, draft=True)
    assert (draft.video.width, draft.video.height) == (864, 480)
    assert (final.video.width, final.video.height) == (1280, 720)
    assert draft.plan == final.plan
    small, large = _decode(draft.video.path).pictures[0], _decode(final.video.path).pictures[0]
    thumbnails = [np.asarray(Image.fromarray(item).resize((54, 30)), np.float64) for item in (small, large)]
    assert float(np.corrcoef(thumbnails[0].ravel(), thumbnails[1].ravel())[0, 1]) > 0.97


def test_a_first_frame_starts_the_video_above_35_decibels(tmp_path: Path, photo: Photo) -> None:
    path = photo("first.png", 1000, 500)
    done = _render(tmp_path, prompt="snow falls", first_frame=path, ratio="adaptive")
    assert done.video.ratio == "16:9"
    given = load_picture(path, "first_frame", done.video.width, done.video.height)
    assert _psnr(_decode(done.video.path).pictures[0], given) > 35


def test_first_and_last_frame_stand_at_both_ends(tmp_path: Path, photo: Photo) -> None:
    first, last = photo("first.png"), photo("last.png", seed=3)
    picture = tmp_path / "final.png"
    done = _render(
        tmp_path,
        prompt="",
        first_frame=first,
        last_frame=last,
        return_last_frame=True,
        last_frame_output=str(picture),
    )
    decoded = _decode(done.video.path)
    assert _psnr(decoded.pictures[0], load_picture(first, "first_frame", 864, 480)) > 35
    assert _psnr(decoded.pictures[-1], load_picture(last, "last_frame", 864, 480)) > 35
    assert np.array_equal(np.asarray(Image.open(picture)), load_picture(last, "last_frame", 864, 480))


def test_a_portrait_picture_gives_a_portrait_video_when_adaptive(tmp_path: Path, photo: Photo) -> None:
    done = _render(tmp_path, prompt="", first_frame=photo("p.jpg", 300, 400), ratio="adaptive", frames=2)
    assert (done.video.width, done.video.height, done.video.ratio) == (560, 752, "3:4")


def test_reference_pictures_colour_the_scene(neon: tuple[Done, _Decoded], tmp_path: Path) -> None:
    green = tmp_path / "green.png"
    Image.fromarray(np.full((100, 100, 3), (30, 160, 60), np.uint8)).save(green)
    done = _render(tmp_path, reference_images=(str(green),), frames=2)
    before, after = (
        neon[1].pictures[0].mean(axis=(0, 1)),
        _decode(done.video.path).pictures[0].mean(axis=(0, 1)),
    )
    assert after[1] - after[0] > before[1] - before[0] + 20
    assert "reference images: their colours" in done.plan["understood"]  # type: ignore[operator]


def test_progress_is_reported_after_the_plan_and_counts_every_frame(tmp_path: Path) -> None:
    events: list[Event] = []
    job = Job(
        prompt="Abstract neon waves", seed=5, frames=4, output=str(tmp_path / "v.mp4"), resolution="480p"
    )
    render(job, Outputs(), events.append)
    assert isinstance(events[0], Planned)
    assert events[1:] == [Progress(done, 4) for done in (1, 2, 3, 4)]


def test_a_failed_job_leaves_no_video(tmp_path: Path) -> None:
    (tmp_path / "page.png").write_text("<html></html>")
    out = tmp_path / "out"
    out.mkdir()
    outputs = Outputs()
    job = Job(prompt="", seed=1, frames=2, output=str(out / "v.mp4"), first_frame=str(tmp_path / "page.png"))
    with pytest.raises(InvalidInput, match="first_frame: is an HTML page"):
        render(job, outputs, lambda event: None)
    outputs.discard()
    assert list(out.iterdir()) == []


def test_a_fixed_camera_is_asked_of_the_scene() -> None:
    job = Job(prompt="a city, pan left", seed=1, frames=2, output="x", camera_fixed=True)
    plan = plan_for(job)
    assert plan.camera == "fixed"
    assert plan.understood[-1] == "camera: fixed (asked for)"


def test_references_and_a_first_frame_exclude_each_other(photo: Photo) -> None:
    path = photo()
    job = Job(prompt="x", seed=1, frames=2, output="x", first_frame=path, reference_images=(path,))
    with pytest.raises(InvalidInput, match="reference_images: cannot be combined"):
        compose(job)


def test_the_plan_of_a_picture_says_what_will_not_happen(photo: Photo) -> None:
    job = Job(
        prompt="The cat jumps on a beach in the rain", seed=1, frames=2, output="x", first_frame=photo()
    )
    plan = plan_for(job)
    assert plan.understood[0] == "first frame: set in motion"
    assert "weather: rain (in the rain)" in plan.understood
    assert "what cat does: the picture moves as a whole" in plan.left_out
    assert not any(note.startswith("place:") for note in plan.left_out)
    assert plan.confidence >= 0.5


def test_a_video_of_rain_is_as_close_to_its_pictures_as_with_the_finer_search(tmp_path: Path) -> None:
    composition = compose(
        Job(
            prompt="A city street in the rain at night", seed=3, frames=_FRAMES, output="x", resolution="480p"
        )
    )
    assert composition.plan.weather in RESTLESS
    scene, scratch = build_scene(composition), Scratch()
    pictures = [scene.frame(index, scratch).copy() for index in range(_FRAMES)]
    found: dict[bool, float] = {}
    digests = set()
    for restless in (False, True):
        path = tmp_path / f"{restless}.mp4"
        with VideoWriter(
            path, composition.canvas, composition.timing, None, draft=False, restless=restless
        ) as writer:
            for index, picture in enumerate(pictures):
                writer.write(video_frame(picture, index, 24))
        decoded = _decode(str(path)).pictures
        found[restless] = float(np.mean([_psnr(*pair) for pair in zip(pictures, decoded, strict=True)]))
        digests.add(hashlib.sha256(path.read_bytes()).digest())
    assert len(digests) == 2
    assert found[True] > found[False] - 0.5
