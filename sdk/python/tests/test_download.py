"""The download decision, without a socket: ranges, restarts, checksums, links that run out."""

import base64
import hashlib
import io
import json
import subprocess
import sys
import threading
import time

import pytest
from sdk_support.ambient import FakeAmbient
from sdk_support.scripted import Say

from meshapi import MeshAPI, VideoTaskResponse
from meshapi._calls import Calls
from meshapi._download import Begun, Fetch, Finished, Kept, Restart
from meshapi._exchange import Answer, Close, Deliver, Failure, Open, Read, Send, Sleep
from meshapi._part import Origin
from meshapi._service import Service
from meshapi._settings import Settings
from meshapi._sink import sink_for
from meshapi.errors import ConflictError, DownloadError, NotFoundError, TaskFailedError

WHOLE = b"0123456789"
ORIGIN = Origin("https://api.example", "t", "video")
BROKEN = Failure("maybe_sent", OSError("reset"))


def _digest(content):
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


def _start(**more):
    return Answer(200, {"content-length": "10", "etag": '"v1"', "repr-digest": _digest(WHOLE), **more})


def _rest(start, total=10, etag='"v1"'):
    return Answer(206, {"content-range": f"bytes {start}-9/{total}", "etag": etag})


def _task(status="succeeded", link="https://files.example/1.mp4?sig=a"):
    content = {"video_url": link} if status == "succeeded" else None
    error = {"code": "invalid_input", "message": "no"} if status == "failed" else None
    return Answer(
        200, {}, json.dumps({"id": "t", "status": status, "content": content, "error": error}).encode()
    )


class Play:
    """Runs a download against a script of outcomes."""

    def __init__(self, *outcomes, variant="video", service=None, options=None, kept=None):
        self.service = service or Service()
        calls = Calls(Settings("https://api.example", "rsk_test"), self.service, FakeAmbient().value())
        self.steps = Fetch(calls, "t", variant, options or {}, kept).steps()
        self.outcomes = list(outcomes)
        self.requests = []
        self.parts = []

    def run(self):
        told = None
        while True:
            try:
                command = self.steps.send(told)
            except StopIteration:
                assert not self.outcomes
                return self
            told = None
            if isinstance(command, Deliver):
                self.parts.append(command.value)
            elif isinstance(command, Open | Send):
                self.requests.append(command.request)
                told = self.outcomes.pop(0)
            elif isinstance(command, Read):
                told = self.outcomes.pop(0)
            else:
                assert isinstance(command, Close | Sleep)

    @property
    def content(self):
        kept = b""
        for part in self.parts:
            if isinstance(part, Restart):
                kept = b""
            elif isinstance(part, bytes):
                kept += part
        return kept

    @property
    def ranges(self):
        return [(request.headers.get("Range"), request.headers.get("If-Range")) for request in self.requests]


def test_a_whole_file_is_delivered_and_checked():
    play = Play(_start(), b"01234", b"56789", b"").run()
    digest = hashlib.sha256(WHOLE).hexdigest()
    assert play.parts == [Begun('"v1"', digest, 10), b"01234", b"56789", Finished(10, digest, verified=True)]
    assert play.requests[0].headers["Accept-Encoding"] == "identity"


def test_a_broken_transfer_goes_on_where_it_stopped():
    play = Play(_start(), b"0123", BROKEN, _rest(4), b"456", BROKEN, _rest(7), b"789", b"").run()
    assert play.content == WHOLE
    assert play.ranges == [(None, None), ("bytes=4-", '"v1"'), ("bytes=7-", '"v1"')]
    assert play.parts[-1].verified


def test_a_file_that_ends_early_is_not_taken_for_whole():
    play = Play(_start(), b"0123", b"", _rest(4), b"456789", b"").run()
    assert play.content == WHOLE


def test_a_server_that_ignores_the_range_makes_it_begin_anew():
    play = Play(_start(), b"0123", BROKEN, _start(), WHOLE, b"").run()
    assert play.parts[2] == Restart()
    assert play.content == WHOLE


def test_a_file_that_changed_meanwhile_is_begun_anew():
    play = Play(_start(), b"0123", BROKEN, _rest(4, etag='"v2"'), _start(), WHOLE, b"").run()
    assert play.content == WHOLE
    assert play.ranges[-1] == (None, None)


def test_a_range_that_starts_elsewhere_is_not_glued_on():
    play = Play(_start(), b"0123", BROKEN, _rest(5), _start(), WHOLE, b"").run()
    assert play.content == WHOLE


def test_a_range_beyond_the_file_makes_it_begin_anew():
    play = Play(_start(), b"0123", BROKEN, Answer(416, {}), _start(), WHOLE, b"").run()
    assert play.content == WHOLE


def test_bytes_that_fail_their_checksum_are_refused():
    with pytest.raises(DownloadError, match="damaged"):
        Play(_start(), b"0123456780", b"").run()


def test_a_file_without_a_checksum_is_taken_as_not_verified():
    play = Play(Answer(200, {}), WHOLE, b"").run()
    assert play.parts[-1] == Finished(10, hashlib.sha256(WHOLE).hexdigest(), verified=False)


def test_breaking_off_again_and_again_without_progress_is_an_error():
    with pytest.raises(DownloadError, match="broke off"):
        Play(_start(), b"0123", BROKEN, BROKEN, BROKEN, BROKEN).run()


def test_a_server_that_always_breaks_at_the_same_place_and_knows_no_ranges_is_an_error():
    same = [_start(), b"0123", BROKEN]
    with pytest.raises(DownloadError, match="broke off"):
        Play(*same, *same, *same, *same).run()


def test_a_server_without_content_is_asked_for_the_link_and_never_sent_the_key():
    play = Play(Answer(404, {}), _task(), Answer(200, {}), WHOLE, b"").run()
    assert play.content == WHOLE
    assert [request.authenticated for request in play.requests] == [True, True, False]
    assert play.requests[2].url == "https://files.example/1.mp4?sig=a"
    assert play.service.has_content is False


def test_a_link_that_has_run_out_is_asked_for_again_and_the_transfer_resumed():
    service = Service(has_content=False)
    fresh = _task(link="https://files.example/1.mp4?sig=b")
    play = Play(
        _task(), _start(), b"0123", BROKEN, Answer(403, {}), fresh, _rest(4), b"456789", b"", service=service
    )
    play.run()
    assert play.content == WHOLE
    assert play.requests[-1].url.endswith("sig=b")


def test_a_link_that_is_refused_twice_is_an_error():
    with pytest.raises(NotFoundError):
        Play(_task(), Answer(404, {}), _task(), Answer(404, {}), service=Service(has_content=False)).run()


def test_a_task_that_has_not_ended_is_a_conflict():
    with pytest.raises(ConflictError):
        Play(Answer(409, {}, b'{"error":{"code":"conflict","message":"still running"}}')).run()


def test_a_failed_task_says_why_it_has_no_video():
    with pytest.raises(TaskFailedError, match="invalid_input"):
        Play(Answer(404, {}), _task("failed")).run()


def test_a_running_task_at_a_server_without_content_says_to_wait():
    with pytest.raises(DownloadError, match="wait for it first"):
        Play(Answer(404, {}), _task("running")).run()


def test_a_missing_last_frame_says_how_to_get_one():
    with pytest.raises(DownloadError, match="return_last_frame"):
        Play(Answer(404, {}), _task(), variant="last_frame").run()


def test_the_last_frame_is_asked_for_by_name():
    play = Play(_start(), WHOLE, b"", variant="last_frame").run()
    assert play.requests[0].url.endswith("/content?variant=last_frame")


def test_another_variant_is_refused():
    with pytest.raises(DownloadError, match="last_frame"):
        Play(variant="poster")


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "lake.mp4"
    with pytest.raises(DownloadError, match="before it was whole"), sink_for(path, ORIGIN) as sink:
        sink.take(b"0123")
    assert list(tmp_path.iterdir()) == []
    with sink_for(path, ORIGIN) as sink:
        sink.take(WHOLE)
        assert not path.exists()
        sink.take(Finished(10, "", verified=False))
    assert path.read_bytes() == WHOLE
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_file_survives_a_download_that_fails(tmp_path):
    path = tmp_path / "lake.mp4"
    path.write_bytes(b"old")
    with pytest.raises(DownloadError), sink_for(path, ORIGIN) as sink:
        sink.take(b"0123")
    assert path.read_bytes() == b"old"


BEGUN = Begun('"v1"', hashlib.sha256(WHOLE).hexdigest(), 10)


def _kept(content, begun=BEGUN):
    return Kept(begun, len(content), hashlib.sha256(content))


def test_what_an_earlier_process_has_left_is_gone_on_with():
    play = Play(_rest(4), b"456789", b"", kept=_kept(b"0123")).run()
    assert play.ranges == [("bytes=4-", '"v1"')]
    digest = hashlib.sha256(WHOLE).hexdigest()
    assert play.parts == [b"456789", Finished(10, digest, verified=True, resumed=4)]


def test_what_an_earlier_process_has_left_of_a_file_that_changed_is_begun_anew():
    play = Play(_start(), WHOLE, b"", kept=_kept(b"abcd", Begun('"v0"', None, 10))).run()
    assert play.parts[0] == Restart()
    assert (play.content, play.parts[-1].resumed) == (WHOLE, 0)


def test_what_an_earlier_process_has_left_damaged_is_begun_anew_once():
    play = Play(_rest(4), b"456789", b"", _start(), WHOLE, b"", kept=_kept(b"abcd")).run()
    assert (play.content, play.ranges) == (WHOLE, [("bytes=4-", '"v1"'), (None, None)])
    with pytest.raises(DownloadError, match="damaged"):
        Play(_rest(4), b"456789", b"", _start(), b"0123456780", b"", kept=_kept(b"abcd")).run()


def test_what_an_earlier_process_has_left_whole_needs_no_request():
    play = Play(kept=_kept(WHOLE)).run()
    assert (play.requests, play.parts[-1].resumed, play.parts[-1].verified) == ([], 10, True)


def test_a_download_is_repeated_as_often_as_the_call_says():
    with pytest.raises(DownloadError, match="broke off"):
        Play(BROKEN, options={"max_retries": 0}).run()


def test_notes_that_were_changed_by_hand_are_not_believed():
    play = Play(_start(), WHOLE, b"", kept=_kept(b"abcd", Begun('"v0"', "no hexadecimal", 10))).run()
    assert (play.content, play.ranges[0]) == (WHOLE, ("bytes=4-", '"v0"'))


def test_an_output_that_cannot_be_rewound_ends_a_download_that_must_begin_anew():
    class Pipe(io.RawIOBase):
        def write(self, part):
            return len(part)

    with pytest.raises(DownloadError, match="cannot be rewound"):  # noqa: PT012, SIM117
        with sink_for(Pipe(), ORIGIN) as sink:
            sink.take(b"0123")
            sink.take(Restart())


def test_a_link_is_not_sent_the_headers_that_are_meant_for_the_server():
    options = {"extra_headers": {"X-Tenant": "blue"}}
    play = Play(Answer(404, {}), _task(), Answer(200, {}), WHOLE, b"", options=options).run()
    assert [request.headers.get("X-Tenant") for request in play.requests] == ["blue", "blue", None]


def _leave(path, *parts, error=None):
    """A download that ends with an error, which is returned."""
    error = error or DownloadError("broke off")
    try:
        with sink_for(path, ORIGIN) as sink:
            for part in parts:
                sink.take(part)
            raise error
    except type(error) as caught:
        return caught


def test_a_part_is_kept_with_what_it_can_be_recognised_by_and_found_again(tmp_path):
    path = tmp_path / "lake.mp4"
    error = _leave(path, BEGUN, b"0123")
    assert "its first 4 bytes are kept" in str(error)
    assert {each.name for each in tmp_path.iterdir()} == {".lake.mp4.part", ".lake.mp4.part.json"}
    with sink_for(path, ORIGIN) as sink:
        assert (sink.kept.begun, sink.kept.received) == (BEGUN, 4)
        assert sink.kept.hash.digest() == hashlib.sha256(b"0123").digest()
        sink.take(b"456789")
        sink.take(Finished(10, "", verified=True, resumed=4))
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (WHOLE, [path])


@pytest.mark.parametrize(
    "origin",
    [
        Origin("https://other.example", "t", "video"),
        Origin("https://api.example", "u", "video"),
        Origin("https://api.example", "t", "last_frame"),
    ],
)
def test_the_part_of_another_result_is_not_gone_on_with(tmp_path, origin):
    _leave(tmp_path / "lake.mp4", BEGUN, b"0123")
    with sink_for(tmp_path / "lake.mp4", origin) as sink:
        assert sink.kept is None
        sink.take(WHOLE)
        sink.take(Finished(10, "", verified=False))
    assert (tmp_path / "lake.mp4").read_bytes() == WHOLE


def test_a_part_that_could_not_be_recognised_is_not_kept(tmp_path):
    error = _leave(tmp_path / "lake.mp4", Begun(None, None, 10), b"0123")
    assert ("kept" in str(error), list(tmp_path.iterdir())) == (False, [])


@pytest.mark.parametrize("notes", ["", "[]", "{", '{"server": 1}', '{"task_id": "t"}'])
def test_a_part_whose_notes_cannot_be_read_is_begun_anew(tmp_path, notes):
    _leave(tmp_path / "lake.mp4", BEGUN, b"0123")
    (tmp_path / ".lake.mp4.part.json").write_text(notes)
    with sink_for(tmp_path / "lake.mp4", ORIGIN) as sink:
        assert sink.kept is None
        sink.take(WHOLE)
        sink.take(Finished(10, "", verified=False))
    assert (tmp_path / "lake.mp4").read_bytes() == WHOLE


def test_the_part_of_a_task_that_is_gone_is_removed(tmp_path):
    for error in (NotFoundError("gone", status=404), TaskFailedError(VideoTaskResponse(id="t"))):
        _leave(tmp_path / "lake.mp4", BEGUN, b"0123")
        _leave(tmp_path / "lake.mp4", error=error)
        assert list(tmp_path.iterdir()) == []


def test_an_interrupted_download_keeps_its_part(tmp_path):
    _leave(tmp_path / "lake.mp4", BEGUN, b"0123", error=KeyboardInterrupt())
    assert (tmp_path / ".lake.mp4.part").read_bytes() == b"0123"


def test_two_downloads_to_one_path_do_not_share_a_part(tmp_path):
    path = tmp_path / "lake.mp4"
    with sink_for(path, ORIGIN) as first:
        first.take(BEGUN)
        first.take(b"01234")
        with sink_for(path, ORIGIN) as second:
            assert second.kept is None
            for part in (BEGUN, WHOLE, Finished(10, "", verified=True)):
                second.take(part)
        assert path.read_bytes() == WHOLE
        first.take(b"56789")
        first.take(Finished(10, "", verified=True))
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (WHOLE, [path])


def test_a_link_in_the_place_of_a_part_is_not_followed(tmp_path):
    (tmp_path / "diary.txt").write_bytes(b"dear diary")
    (tmp_path / ".lake.mp4.part").symlink_to(tmp_path / "diary.txt")
    with sink_for(tmp_path / "lake.mp4", ORIGIN) as sink:
        sink.take(WHOLE)
        sink.take(Finished(10, "", verified=True))
    assert (tmp_path / "diary.txt").read_bytes() == b"dear diary"
    assert (tmp_path / "lake.mp4").read_bytes() == WHOLE


KILLED = """
import sys
from meshapi import MeshAPI
MeshAPI(base_url=sys.argv[1], api_key=sys.argv[2]).videos.download("task_1", sys.argv[3])
"""


def test_a_download_of_a_process_that_was_killed_is_gone_on_with_by_another(scripted, tmp_path):
    content = bytes(range(256)) * 4096
    half = len(content) // 2
    headers = {"ETag": '"v1"', "Repr-Digest": _digest(content), "X-Request-Id": "req_2"}
    path = tmp_path / "lake.mp4"
    over = threading.Event()

    def half_and_then_nothing():
        yield content[:half]
        over.wait(60)

    scripted.play(Say(200, headers=headers, chunks=half_and_then_nothing(), length=len(content)))
    process = subprocess.Popen([sys.executable, "-c", KILLED, scripted.url, "rsk_test", path])
    deadline = time.monotonic() + 60
    while not (part := tmp_path / ".lake.mp4.part").exists() or part.stat().st_size < half // 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait()
    over.set()
    there = part.stat().st_size
    rest = {**headers, "Content-Range": f"bytes {there}-{len(content) - 1}/{len(content)}"}
    scripted.play(Say(206, content[there:], rest))
    with MeshAPI(base_url=scripted.url, api_key="rsk_test") as client:
        result = client.videos.download("task_1", path)
    assert path.read_bytes() == content
    assert (result.resumed, result.verified, result.request_id) == (there, True, "req_2")
    assert scripted.asked[-1].headers["range"] == f"bytes={there}-"
    assert scripted.asked[-1].headers["if-range"] == '"v1"'
    assert list(tmp_path.iterdir()) == [path]


def test_an_open_file_is_rewound_when_the_download_begins_anew():
    file = io.BytesIO(b"head")
    file.seek(4)
    with sink_for(file, ORIGIN) as sink:
        for part in (b"0123", Restart(), WHOLE, Finished(10, "", verified=False)):
            sink.take(part)
    assert file.getvalue() == b"head" + WHOLE


def test_a_directory_or_a_text_file_is_refused(tmp_path):
    with pytest.raises(DownloadError, match="is a directory"), sink_for(tmp_path, ORIGIN):
        pass
    with pytest.raises(DownloadError, match="binary mode"), sink_for(io.StringIO(), ORIGIN):
        pass
