"""Bringing inputs: data URIs, real HTTP, limits and refusals."""

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from meshapi_server.destinations.guard import Guard
from meshapi_server.files import sources as room
from meshapi_server.files.sources import Sources
from meshapi_server.upstreams.contract import InputUnavailable

PICTURE = bytes(range(256)) * 4


class _Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/loop"):
            self._redirect("/loop")
        elif path.startswith("/hop"):
            left = int(path[4:] or 0)
            self._redirect(f"/hop{left - 1}" if left else "/picture")
        elif path == "/inside":
            self._redirect("http://169.254.169.254/latest/meta-data")
        elif path == "/file":
            self._redirect("file:///etc/passwd")
        elif path == "/picture":
            self._answer(200, PICTURE)
        elif path == "/large":
            self._answer(200, b"x" * 4096)
        else:
            self._answer(404, b"not here")

    def _redirect(self, target: str) -> None:
        self.send_response(302)
        self.send_header("location", target)
        self.send_header("content-length", "0")
        self.end_headers()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


async def refusal(url: str, target: Path, *, private: bool = True) -> str:
    with pytest.raises(InputUnavailable) as refused:
        await Sources(Guard(private=private, ports=None)).fetch(url, target)
    return str(refused.value)


@pytest.mark.parametrize("head", ["data:image/png;base64,", "DATA:image/png;charset=x;base64,"])
async def test_a_data_uri_is_decoded(tmp_path: Path, head: str) -> None:
    await Sources(Guard()).fetch(head + base64.b64encode(PICTURE).decode(), tmp_path / "in")
    assert (tmp_path / "in").read_bytes() == PICTURE


@pytest.mark.parametrize(
    "uri", ["data:image/png;base64,%%%", "data:image/png;base64,AAA", "data:image/png,abc", "data:"]
)
async def test_a_data_uri_that_is_no_base64_is_refused(tmp_path: Path, uri: str) -> None:
    assert "base64" in await refusal(uri, tmp_path / "in")


async def test_a_url_is_fetched_through_a_few_redirects(site: str, tmp_path: Path) -> None:
    for path in ("/picture", "/hop0", "/hop2"):
        await Sources(Guard(private=True, ports=None)).fetch(site + path, tmp_path / "in")
        assert (tmp_path / "in").read_bytes() == PICTURE


async def test_too_many_redirects_are_refused(site: str, tmp_path: Path) -> None:
    assert "redirects more than 3 times" in await refusal(f"{site}/loop", tmp_path / "in")


async def test_an_answer_that_is_no_success_is_named(site: str, tmp_path: Path) -> None:
    assert "HTTP 404" in await refusal(f"{site}/none?token=secret", tmp_path / "in")


async def test_a_private_address_is_refused_unless_it_is_allowed(site: str, tmp_path: Path) -> None:
    port = site.rpartition(":")[2]
    for url in (f"{site}/picture", f"http://localhost:{port}/picture"):
        assert "not fetched from" in await refusal(url, tmp_path / "in", private=False)
    await Sources(Guard(private=True, ports=None)).fetch(f"http://localhost:{port}/picture", tmp_path / "in")


async def test_a_redirect_into_the_metadata_service_or_a_file_is_refused(site: str, tmp_path: Path) -> None:
    assert "not fetched from" in await refusal(f"{site}/inside", tmp_path / "in")
    assert "no http(s) URL" in await refusal(f"{site}/file", tmp_path / "in")


async def test_an_input_that_is_too_large_is_refused(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_BYTES", 4095)
    assert "larger than" in await refusal(f"{site}/large", tmp_path / "in")
    data = "data:image/png;base64," + base64.b64encode(b"x" * 4096).decode()
    assert "more than" in await refusal(data, tmp_path / "in")


async def test_what_cannot_be_reached_is_said_without_the_query_which_may_hold_a_signature(
    tmp_path: Path,
) -> None:
    said = await refusal("http://127.0.0.1:1/picture?signature=secret", tmp_path / "in")
    assert "cannot be reached" in said
    assert "secret" not in said
