"""Downloads through a real server, from a folder and an S3-compatible one: many, broken off, resumed."""

import base64
import hashlib
import http.client
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from ..serving import GENERATIONS, Caller, ServerProcess, error, serving
from .large_upstream import MODEL, large_upstream
from .s3_server import S3

SIZE = 20 * 1024 * 1024
AT_ONCE = 20
GROWTH = 64 * 1024 * 1024  # bytes; all that is sent meanwhile is six times as much
REDIRECTS = {"MESHAPI_STORAGE_REDIRECTS": "true"}


@dataclass(frozen=True)
class Served:
    """A server with one large video in its storage."""

    server: ServerProcess
    caller: Caller
    task: dict[str, Any]

    @property
    def link(self) -> str:
        return str(self.task["content"]["video_url"])

    @property
    def digest(self) -> str:
        return str(self.task["video"]["sha256"])


@pytest.fixture(scope="module", params=["local", "s3"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("downloads")
    variables = {"MESHAPI_PRIVATE_SOURCES": "true"}
    if request.param == "s3":
        s3: S3 = request.getfixturevalue("s3")
        variables |= {**s3.variables, "MESHAPI_STORAGE_URL": f"{s3.url}/{folder.name}"}
    with (
        large_upstream(folder, SIZE) as engine,
        serving(folder / "data", **variables, **engine.variables) as server,
    ):
        caller = server.caller()
        task = caller.ended(caller.create(MODEL), seconds=60)
        assert task["status"] == "succeeded", task
        yield Served(server, caller, task)


def memory(pid: int, line: str) -> int:
    """A line of the kernel's account of a process, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    (found,) = [each for each in status.splitlines() if each.startswith(f"{line}:")]
    return int(found.split()[1]) * 1024


def download(url: str) -> str:
    """The digest of what a link sends."""
    digest = hashlib.sha256()
    with httpx2.stream("GET", url, trust_env=False, timeout=120) as answer:
        assert answer.status_code == 200
        for block in answer.iter_raw():
            digest.update(block)
    return digest.hexdigest()


def break_off(url: str, after: int, headers: dict[str, str]) -> bytes:
    """What came before the caller hung up in the middle."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    connection.request("GET", f"{parts.path}?{parts.query}", headers=headers)
    answer = connection.getresponse()
    begun = answer.read(after)
    connection.close()
    return begun


def test_the_video_was_measured_and_is_sent_as_it_was_stored(served: Served) -> None:
    assert served.task["video"]["size"] == SIZE
    assert (served.task["video"]["frames"], served.task["warnings"]) == (48, [])
    assert download(served.link) == served.digest


def test_login_and_link_tell_the_same_of_the_file(served: Served) -> None:
    path = f"{GENERATIONS}/{served.task['id']}/content"
    by_login = served.caller.request("HEAD", path)
    by_link = httpx2.head(served.link, trust_env=False)
    for name in ("etag", "repr-digest", "last-modified", "content-length", "content-type", "accept-ranges"):
        assert by_login.headers[name] == by_link.headers[name], name
    digest = base64.b64encode(bytes.fromhex(served.digest)).decode()
    assert by_link.headers["repr-digest"] == f"sha-256=:{digest}:"
    assert by_link.headers["etag"] == f'"{served.digest}"'
    assert by_link.headers["content-length"] == str(SIZE)


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
        ("bytes=-3000000", SIZE - 3_000_000, SIZE - 1),
        ("bytes=131071-131072", 131_071, 131_072),
        ("bytes=1000000-9000000", 1_000_000, 9_000_000),
    ],
)
def test_a_range_is_sent_and_nothing_else(served: Served, wanted: str, first: int, last: int) -> None:
    whole = httpx2.get(served.link, trust_env=False, timeout=60).content
    answer = httpx2.get(served.link, trust_env=False, timeout=60, headers={"range": wanted})
    assert (answer.status_code, answer.content) == (206, whole[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer.headers["repr-digest"] == httpx2.head(served.link, trust_env=False).headers["repr-digest"]


def test_a_download_that_broke_off_is_resumed_and_its_digest_matches(served: Served) -> None:
    came = break_off(served.link, 7_654_321, {})
    etag = httpx2.head(served.link, trust_env=False).headers["etag"]
    while len(came) < SIZE:
        rest = {"range": f"bytes={len(came)}-", "if-range": etag}
        came += break_off(served.link, 5_000_000, rest)
    assert hashlib.sha256(came).hexdigest() == served.digest


def test_if_range_of_another_file_sends_the_whole(served: Served) -> None:
    headers = {"range": "bytes=5-9", "if-range": '"another"'}
    answer = httpx2.get(served.link, trust_env=False, timeout=60, headers=headers)
    assert (answer.status_code, len(answer.content)) == (200, SIZE)


@pytest.mark.slow
def test_many_downloads_at_once_take_no_more_memory_than_their_blocks(served: Served) -> None:
    download(served.link)  # whatever a first download loads is loaded
    Path(f"/proc/{served.server.pid}/clear_refs").write_text("5")  # the peak is counted from here
    before = memory(served.server.pid, "VmRSS")
    with ThreadPoolExecutor(AT_ONCE) as callers:
        digests = list(callers.map(download, [served.link] * AT_ONCE))
    assert digests == [served.digest] * AT_ONCE
    assert memory(served.server.pid, "VmHWM") - before < GROWTH


def test_callers_that_hang_up_leave_nothing_open(served: Served) -> None:
    def sockets_and_files() -> int:
        return len(list(Path(f"/proc/{served.server.pid}/fd").iterdir()))

    break_off(served.link, 100_000, {})
    before = sockets_and_files()
    for _ in range(20):
        break_off(served.link, 100_000, {})
    settled = httpx2.get(served.link, trust_env=False, timeout=60)
    assert len(settled.content) == SIZE
    assert sockets_and_files() <= before + 4


def test_a_file_that_was_lost_is_404_and_says_so(server: ServerProcess, caller: Caller) -> None:
    task = caller.ended(caller.create("sandbox/instant"))
    (server.data / "files" / task["id"] / "video.mp4").unlink()
    for method in ("GET", "HEAD"):
        assert httpx2.request(method, task["content"]["video_url"], trust_env=False).status_code == 404
    found = error(caller.get(f"{GENERATIONS}/{task['id']}/content"), 404, "not_found")
    assert "no longer here" in found["message"]


def test_a_file_that_was_cut_on_the_disk_never_passes_for_the_whole(
    server: ServerProcess, caller: Caller
) -> None:
    task = caller.ended(caller.create("sandbox/instant"))
    stored = server.data / "files" / task["id"] / "video.mp4"
    stored.write_bytes(stored.read_bytes()[:-1000])
    with pytest.raises(httpx2.TransportError):
        httpx2.get(task["content"]["video_url"], trust_env=False)
    assert caller.get("/readyz").status_code == 200


def test_with_redirects_callers_are_sent_to_the_storage_itself(s3: S3, tmp_path: Path) -> None:
    variables = {**s3.variables, "MESHAPI_STORAGE_URL": f"{s3.url}/{tmp_path.name}", **REDIRECTS}
    with serving(tmp_path / "data", **variables) as server:
        caller = server.caller()
        task = caller.ended(caller.create("sandbox/instant"))
        sent_on = httpx2.get(task["content"]["video_url"], trust_env=False)
        assert sent_on.status_code == 302
        assert sent_on.headers["location"].startswith(s3.variables["AWS_ENDPOINT_URL"])
        video = httpx2.get(task["content"]["video_url"], trust_env=False, follow_redirects=True)
        part = httpx2.get(
            task["content"]["video_url"],
            trust_env=False,
            follow_redirects=True,
            headers={"range": "bytes=4-7"},
        )
        head = httpx2.head(task["content"]["video_url"], trust_env=False)
    assert hashlib.sha256(video.content).hexdigest() == task["video"]["sha256"]
    assert video.headers["content-type"] == "video/mp4"
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert (head.status_code, head.headers["content-length"]) == (200, str(task["video"]["size"]))


def test_deleting_a_task_removes_its_objects_from_the_storage(s3: S3, tmp_path: Path) -> None:
    variables = {**s3.variables, "MESHAPI_STORAGE_URL": f"{s3.url}/{tmp_path.name}"}
    with serving(tmp_path / "data", **variables) as server:
        caller = server.caller()
        task = caller.ended(caller.create("sandbox/instant", return_last_frame=True))
        link = task["content"]["video_url"]
        assert httpx2.get(link, trust_env=False).status_code == 200
        assert caller.request("DELETE", f"{GENERATIONS}/{task['id']}").json()["deleted"]
        assert httpx2.get(link, trust_env=False).status_code == 404
        assert not (server.data / "files").exists()
