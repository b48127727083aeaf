"""The video itself: with a login, by a signed link, whole or in ranges (wire.md sections 4 and 5)."""

import base64
import hashlib
import re
import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import httpx2
import pytest

from ..serving import GENERATIONS, Caller, ServerProcess, error


@pytest.fixture(scope="module", autouse=True)
def begun(caller: Caller) -> dict[str, dict[str, Any]]:
    """Tasks that take their time, begun before everything else so that nobody waits for the whole of it."""
    return {model: caller.create(f"sandbox/{model}") for model in ("slow", "flaky")}


@pytest.fixture(scope="module")
def task(caller: Caller) -> dict[str, Any]:
    """A task that has succeeded, with its last frame."""
    found = caller.ended(caller.create("sandbox/instant", return_last_frame=True))
    assert found["status"] == "succeeded", found
    return found


@pytest.fixture(scope="module")
def video(caller: Caller, task: dict[str, Any]) -> bytes:
    return bytes(caller.get(content(task)).content)


@pytest.fixture
def anyone() -> httpx2.Client:
    return httpx2.Client(trust_env=False)


def content(task: dict[str, Any]) -> str:
    return f"{GENERATIONS}/{task['id']}/content"


def test_the_video_is_the_mp4_that_was_stored_and_its_digest_proves_it(
    caller: Caller, task: dict[str, Any]
) -> None:
    answer = caller.get(content(task))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
    assert answer.content[4:8] == b"ftyp"
    digest = hashlib.sha256(answer.content).digest()
    assert answer.headers["repr-digest"] == f"sha-256=:{base64.b64encode(digest).decode()}:"
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_last_frame_is_the_png(caller: Caller, task: dict[str, Any], anyone: httpx2.Client) -> None:
    answer = caller.get(content(task), params={"variant": "last_frame"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content.startswith(b"\x89PNG\r\n\x1a\n")
    assert anyone.get(task["content"]["last_frame_url"]).content == answer.content


def test_the_link_opens_without_a_login_under_the_public_url(
    server: ServerProcess, task: dict[str, Any], video: bytes, anyone: httpx2.Client
) -> None:
    url = task["content"]["video_url"]
    assert url.startswith(f"{server.base_url}/files/")
    answer = anyone.get(url)
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "video/mp4", video)


def test_the_link_never_takes_its_host_from_the_request(caller: Caller, task: dict[str, Any]) -> None:
    path = f"{GENERATIONS}/{task['id']}"
    hostile = caller.get(path, headers={"host": "evil.example", "x-forwarded-host": "evil.example"})
    assert "evil.example" not in hostile.text


def test_the_same_task_read_twice_shows_the_same_link(caller: Caller, task: dict[str, Any]) -> None:
    assert caller.task(task["id"])["content"] == task["content"]


def test_a_link_is_good_for_a_day(task: dict[str, Any]) -> None:
    expires = int(parse_qs(urlsplit(task["content"]["video_url"]).query)["expires"][0])
    assert 86_400 - 60 <= expires - time.time() <= 86_400 + 3_600


def changed(url: str, **query: str | None) -> str:
    parts = urlsplit(url)
    values = {name: each[0] for name, each in parse_qs(parts.query).items()} | query
    kept = {name: value for name, value in values.items() if value is not None}
    return urlunsplit(parts._replace(query=urlencode(kept)))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda url: changed(url, expires="9999999999"),
        lambda url: changed(url, expires="1"),
        lambda url: changed(url, expires="-1"),
        lambda url: changed(url, expires="٣"),
        lambda url: changed(url, expires=None),
        lambda url: changed(url, signature=None),
        lambda url: changed(url, signature=""),
        lambda url: changed(url, signature="é"),
        lambda url: changed(url, signature="A" * 43),
        lambda url: url.partition("?")[0],
        lambda url: url[:-1] + ("A" if url[-1] != "A" else "B"),
        lambda url: url.replace("/video.mp4", "/last_frame.png"),
        lambda url: url.replace("/video.mp4", "/..%2F..%2Fmeshapi.db"),
        lambda url: re.sub("task_[0-9A-Z]{26}", "task_" + "0" * 26, url),
        lambda url: re.sub("task_[0-9A-Z]{26}", "..%2F..", url),
    ],
)
def test_a_link_that_was_tampered_with_opens_nothing_and_tells_nothing(
    task: dict[str, Any], anyone: httpx2.Client, spoil: Any
) -> None:
    found = error(anyone.get(spoil(task["content"]["video_url"])), 404, "not_found")
    assert "signature" not in found["message"].lower()


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-99", 0, 99),
        ("bytes=100-199", 100, 199),
        ("bytes=-50", -50, None),
        ("bytes=500-", 500, None),
        ("bytes=0-", 0, None),
        ("bytes=10-99999999999", 10, None),
        ("bytes=-99999999999", 0, None),
        ("Bytes=0-9", 0, 9),
    ],
)
@pytest.mark.parametrize("way", ["login", "link"])
def test_one_range_gets_206_and_exactly_those_bytes(
    caller: Caller,
    anyone: httpx2.Client,
    task: dict[str, Any],
    video: bytes,
    way: str,
    header: str,
    first: int,
    last: int | None,
) -> None:
    headers = {"range": header}
    if way == "login":
        answer = caller.get(content(task), headers=headers)
    else:
        answer = anyone.get(task["content"]["video_url"], headers=headers)
    size = len(video)
    start = first % size
    end = size - 1 if last is None else last
    assert answer.status_code == 206
    assert answer.content == video[start : end + 1]
    assert answer.headers["content-range"] == f"bytes {start}-{end}/{size}"
    assert answer.headers["content-length"] == str(end + 1 - start)


@pytest.mark.parametrize(
    "header",
    [
        "bytes=5-2",
        "bytes=a-b",
        "bytes=-",
        "bytes=",
        "items=0-5",
        "bytes=0-1,5-6",
        "bytes=--5",
        "bytes = 0-5",
        "0-5",
        "bytes=1-2-3",
    ],
)
def test_a_range_that_is_malformed_or_several_is_ignored(
    caller: Caller, task: dict[str, Any], video: bytes, header: str
) -> None:
    answer = caller.get(content(task), headers={"range": header})
    assert (answer.status_code, answer.content) == (200, video)


@pytest.mark.parametrize("header", ["bytes=99999999999-", "bytes=-0", "bytes={size}-", "bytes={size}-{size}"])
def test_a_range_outside_the_file_is_416_and_tells_its_size(
    caller: Caller, task: dict[str, Any], video: bytes, header: str
) -> None:
    answer = caller.get(content(task), headers={"range": header.format(size=len(video))})
    error(answer, 416, "invalid_request")
    assert answer.headers["content-range"] == f"bytes */{len(video)}"


def test_a_download_can_be_resumed_and_joins_to_the_same_file(
    caller: Caller, task: dict[str, Any], video: bytes
) -> None:
    half = len(video) // 2
    first = caller.get(content(task), headers={"range": f"bytes=0-{half - 1}"})
    rest = caller.get(content(task), headers={"range": f"bytes={half}-", "if-range": first.headers["etag"]})
    assert (rest.status_code, first.content + rest.content) == (206, video)


@pytest.mark.parametrize("wanted", ["bytes=10-19", "bytes=99999999999-"])
def test_a_range_of_another_file_than_the_one_begun_gets_the_whole_file(
    caller: Caller, task: dict[str, Any], video: bytes, wanted: str
) -> None:
    answer = caller.get(content(task), headers={"range": wanted, "if-range": '"another"'})
    assert (answer.status_code, answer.content) == (200, video)


@pytest.mark.parametrize("way", ["login", "link"])
def test_a_file_that_the_caller_has_is_304(
    caller: Caller, anyone: httpx2.Client, task: dict[str, Any], way: str
) -> None:
    def get(headers: dict[str, str]) -> httpx2.Response:
        if way == "login":
            return caller.get(content(task), headers=headers)
        return anyone.get(task["content"]["video_url"], headers=headers)

    etag = get({}).headers["etag"]
    for form in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        answer = get({"if-none-match": form, "range": "bytes=0-5"})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert get({"if-none-match": '"x"'}).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"range": "bytes=0-9"}], ids=str)
def test_head_tells_the_size_and_sends_nothing_and_knows_no_ranges(
    caller: Caller, task: dict[str, Any], video: bytes, headers: dict[str, str]
) -> None:
    # RFC 9110 section 14.2: Range is defined for GET alone.
    for path in (content(task), task["content"]["video_url"]):
        answer = caller.request("HEAD", path, headers=headers)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-length"] == str(len(video))


def test_a_task_without_a_last_frame_says_how_to_get_one(caller: Caller) -> None:
    plain = caller.ended(caller.create("sandbox/instant"))
    assert plain["content"]["last_frame_url"] is None
    answer = caller.get(content(plain), params={"variant": "last_frame"})
    assert "return_last_frame" in error(answer, 404, "not_found")["message"]


def test_a_variant_that_does_not_exist_is_422(caller: Caller, task: dict[str, Any]) -> None:
    found = error(caller.get(content(task), params={"variant": "gif"}), 422, "validation_error")
    assert found["details"][0]["loc"] == ["query", "variant"]


def test_a_task_that_still_runs_has_no_content_yet_and_a_failed_one_never(caller: Caller) -> None:
    running = caller.create()
    error(caller.get(content(running)), 409, "conflict")
    caller.stop(running)
    error(caller.get(content(running)), 404, "not_found")


def test_deleting_the_task_removes_its_files_and_kills_its_links(
    caller: Caller, server: ServerProcess, anyone: httpx2.Client
) -> None:
    made = caller.ended(caller.create("sandbox/instant", return_last_frame=True))
    folder = server.data / "files" / made["id"]
    assert sorted(path.name for path in folder.iterdir()) == ["last_frame.png", "video.mp4"]
    assert caller.request("DELETE", f"{GENERATIONS}/{made['id']}").json()["deleted"]
    assert not folder.exists()
    error(anyone.get(made["content"]["video_url"]), 404, "not_found")
    error(caller.get(content(made)), 404, "not_found")


def test_the_task_tells_what_was_rendered_and_what_it_cost(task: dict[str, Any]) -> None:
    shown = {name: task[name] for name in ("resolution", "ratio", "duration", "frames", "framespersecond")}
    assert shown == {
        "resolution": "480p",
        "ratio": "16:9",
        "duration": 2,
        "frames": 48,
        "framespersecond": 24,
    }
    assert (task["progress"], task["cost_usd"], task["error"]) == (1.0, "0", None)


@pytest.mark.slow
def test_a_slow_task_shows_growing_progress_and_then_succeeds(
    caller: Caller, begun: dict[str, dict[str, Any]]
) -> None:
    seen: list[float] = []
    while (found := caller.task(begun["slow"]["id"], params={"wait": 1}))["status"] != "succeeded":
        assert found["status"] in {"pending", "running"}
        seen.append(found["progress"] or 0.0)
    assert seen == sorted(seen)
    assert len(set(seen)) > 1


@pytest.mark.slow
def test_a_flaky_upstream_delays_a_task_and_does_not_fail_it(
    caller: Caller, begun: dict[str, dict[str, Any]]
) -> None:
    assert caller.ended(begun["flaky"])["status"] == "succeeded"
