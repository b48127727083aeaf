"""What was asked beside what was measured: rounding is forgiven, another video is told."""

from typing import Any

import pytest

from meshapi_server.tasks.comparison import differences, facts_of
from meshapi_server.tasks.spec import ContentItem
from meshapi_server.tasks.task import Facts, Measured, Probed

from .. import samples


def probed(**fields: Any) -> Probed:
    plain: dict[str, Any] = {"width": 1280, "height": 720, "duration": 5.04, "codec": "h264", "audio": True}
    return Probed(**{**plain, "frames": 121, "fps": 24.0, **fields})


def told(measured: Probed, *, has_last_frame: bool = False, **asked: Any) -> tuple[str, ...]:
    return differences(samples.spec(**asked), Measured(probed=measured), has_last_frame=has_last_frame)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"duration": 5},
        {"duration": -1},
        {"frames": 120},
        {"frames": 121, "duration": 9},
        {"resolution": "720p"},
        {"ratio": "16:9"},
        {"ratio": "adaptive"},
        {"resolution": "something"},
        {"generate_audio": True},
        {"resolution": "1080p", "draft": True},
    ],
)
def test_what_is_as_asked_or_was_left_to_the_model_is_not_told(asked: dict[str, Any]) -> None:
    assert told(probed(), **asked) == ()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"duration": 8}, "8 s were expected; the video lasts 5.04 s."),
        ({"frames": 100}, "100 frames were expected; the video has 121."),
        ({"resolution": "1080p"}, "1080p was expected; the video is 1280 x 720."),
        ({"resolution": "4k"}, "4k was expected; the video is 1280 x 720."),
        ({"ratio": "9:16"}, "The ratio 9:16 was expected; the video is 1280 x 720."),
        ({"ratio": "1:1"}, "The ratio 1:1 was expected; the video is 1280 x 720."),
        ({"generate_audio": False}, "A silent video was expected; the video has audio."),
        ({"return_last_frame": True}, "A last frame was asked for; the upstream gave none."),
    ],
)
def test_what_is_not_as_asked_is_told_in_one_sentence(asked: dict[str, Any], said: str) -> None:
    assert told(probed(), **asked) == (said,)


def test_missing_sound_is_told() -> None:
    assert told(probed(audio=False), generate_audio=True) == ("Audio was expected; the video has none.",)


@pytest.mark.parametrize(
    ("resolution", "ratio", "width", "height"),
    [
        ("480p", "16:9", 864, 496),
        ("480p", "16:9", 854, 480),
        ("720p", "21:9", 1470, 630),
        ("720p", "9:16", 720, 1280),
        ("720p", "1:1", 960, 960),
        ("1080p", "16:9", 1920, 1088),
        ("4k", "16:9", 3840, 2160),
        ("720p", "4:3", 1112, 834),
    ],
)
def test_sizes_that_upstreams_mean_by_a_name_are_right(
    resolution: str, ratio: str, width: int, height: int
) -> None:
    assert told(probed(width=width, height=height), resolution=resolution, ratio=ratio) == ()


@pytest.mark.parametrize("ratio", ["0:0", "16:0", "a:b", "16:9:4", ""])
def test_a_ratio_that_is_none_is_compared_with_nothing(ratio: str) -> None:
    assert told(probed(), ratio=ratio) == ()


def test_a_video_that_begins_with_a_picture_may_have_the_pictures_ratio() -> None:
    picture = ContentItem(kind="image", index=0, url="https://x/y.png", role="first_frame")
    assert told(probed(width=720, height=720), ratio="16:9", content=(picture,)) == ()


def test_a_video_that_cannot_be_read_is_told_and_what_was_not_measured_is_not() -> None:
    broken = differences(
        samples.spec(duration=5), Measured(problem="it has no picture"), has_last_frame=False
    )
    assert broken == ("The video could not be checked: it has no picture.",)
    assert differences(samples.spec(duration=5), Measured(), has_last_frame=False) == ()


def test_facts_are_what_was_measured_and_what_only_the_upstream_knows() -> None:
    stated = Facts(seed=7, resolution="720p", fps=30, cost_usd="0.1", audio=False)
    assert facts_of(stated, probed(fps=23.976)) == Facts(
        seed=7,
        resolution="720p",
        cost_usd="0.1",
        width=1280,
        height=720,
        duration=5.04,
        frames=121,
        fps=24,
        audio=True,
    )


@pytest.mark.parametrize(("stated", "kept"), [(5.0, 5.0), (5.5, 5.5), (8.0, 5.04), (None, 5.04)])
def test_a_stated_length_stays_while_it_is_about_right(stated: float | None, kept: float) -> None:
    assert facts_of(Facts(duration=stated), probed()).duration == kept


def test_without_a_measurement_the_facts_are_the_upstreams() -> None:
    assert facts_of(Facts(fps=30), None) == Facts(fps=30)
