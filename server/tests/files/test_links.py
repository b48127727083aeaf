"""Signed links: bound to one file of one task, for a time."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meshapi_server.files.links import Links

from ..samples import NOW, HandClock

HOUR = 3_600


def parts(url: str) -> tuple[str, str]:
    query = parse_qs(urlsplit(url).query)
    return query["expires"][0], query["signature"][0]


@pytest.fixture
def links(clock: HandClock) -> Links:
    return Links("https://videos.example/base/", b"secret", clock)


def test_a_link_is_made_under_the_public_url_and_allows_what_it_names(links: Links) -> None:
    url = links.sign("task_1", "video.mp4")
    assert url.startswith("https://videos.example/base/files/task_1/video.mp4?expires=")
    assert links.allows("task_1", "video.mp4", *parts(url))


@pytest.mark.parametrize(
    ("task", "name"), [("task_2", "video.mp4"), ("task_1", "last_frame.png"), ("task_1\nvideo.mp4", "")]
)
def test_a_signature_opens_no_other_file(links: Links, task: str, name: str) -> None:
    assert not links.allows(task, name, *parts(links.sign("task_1", "video.mp4")))


def test_a_link_lasts_at_least_its_lifetime_and_at_most_an_hour_more(links: Links, clock: HandClock) -> None:
    expires, signature = parts(links.sign("task_1", "video.mp4"))
    for seconds, open_ in ((24 * HOUR - 1, True), (25 * HOUR + 1, False)):
        clock.now = NOW + seconds * 1000
        assert links.allows("task_1", "video.mp4", expires, signature) is open_


def test_it_closes_in_the_very_second_that_it_names(links: Links, clock: HandClock) -> None:
    expires, signature = parts(links.sign("task_1", "video.mp4"))
    clock.now = int(expires) * 1000 - 1
    assert links.allows("task_1", "video.mp4", expires, signature)
    clock.now = int(expires) * 1000
    assert not links.allows("task_1", "video.mp4", expires, signature)


def test_links_made_within_one_hour_are_the_same_and_so_is_the_etag_of_a_task(
    links: Links, clock: HandClock
) -> None:
    clock.now = NOW + 1_000
    first = links.sign("task_1", "video.mp4")
    clock.now += 1_800_000
    again = links.sign("task_1", "video.mp4")
    clock.now += 2 * HOUR * 1000
    assert first == again != links.sign("task_1", "video.mp4")


def test_another_secret_makes_another_signature(links: Links, clock: HandClock) -> None:
    other = Links("https://videos.example", b"other", clock)
    assert not links.allows("task_1", "video.mp4", *parts(other.sign("task_1", "video.mp4")))


@pytest.mark.parametrize("expires", ["", "-1", "1e10", "٣٤", "9" * 13, "12 ", "0x10", "+99999999999"])
def test_a_time_that_is_no_plain_number_is_refused_before_anything_is_compared(
    links: Links, expires: str
) -> None:
    _, signature = parts(links.sign("task_1", "video.mp4"))
    assert not links.allows("task_1", "video.mp4", expires, signature)


@pytest.mark.parametrize("signature", ["", "é", "\udcff", "x" * 10_000, "\x00"])
def test_a_signature_of_any_kind_is_refused_without_a_fault(links: Links, signature: str) -> None:
    expires, _ = parts(links.sign("task_1", "video.mp4"))
    assert not links.allows("task_1", "video.mp4", expires, signature)


def test_a_name_with_special_characters_is_escaped_in_the_link(links: Links) -> None:
    assert "/files/a%2Fb/c%3Fd%23e?" in links.sign("a/b", "c?d#e")


ANY_TEXT = st.text(max_size=80)
NEAR_SIGNATURE = st.text("ABCDEFabcdef0123456789-_=", min_size=40, max_size=46)
GENUINE = Links("https://videos.example", b"secret", HandClock())


@settings(max_examples=500)
@given(
    ANY_TEXT,
    ANY_TEXT,
    st.one_of(ANY_TEXT, st.integers().map(str)),
    st.one_of(ANY_TEXT, NEAR_SIGNATURE),
)
@example("task_1", "video.mp4", str(NOW), "A" * 43)
@example("\udcff", "\udcff", str(NOW), "\udcff")
def test_nobody_guesses_a_link_and_no_guess_is_a_fault(
    task: str, name: str, expires: str, signature: str
) -> None:
    assert GENUINE.allows(task, name, expires, signature) is False


@settings(max_examples=500)
@given(st.integers(0, 42), st.characters(), st.sampled_from(["task", "name", "expires", "signature"]))
def test_a_link_of_which_one_character_is_another_opens_nothing(place: int, other: str, part: str) -> None:
    expires, signature = parts(GENUINE.sign("task_1", "video.mp4"))
    values = {"task": "task_1", "name": "video.mp4", "expires": expires, "signature": signature}
    text = values[part]
    place %= len(text)
    changed = text[:place] + other + text[place + 1 :]
    values[part] = changed
    assert GENUINE.allows(values["task"], values["name"], values["expires"], values["signature"]) is (
        changed == text
    )


@given(ANY_TEXT.filter(lambda text: text.isprintable()), ANY_TEXT.filter(lambda text: text.isprintable()))
def test_every_link_that_is_made_opens_what_it_was_made_for(task: str, name: str) -> None:
    assert GENUINE.allows(task, name, *parts(GENUINE.sign(task, name)))
