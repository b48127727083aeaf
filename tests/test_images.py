"""Images given to the server: honoured to the pixel, or refused in clear words while it serves on."""

import base64
import struct
import threading
import urllib.request
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2
import numpy as np
import pytest

from decoded import Image, decode, psnr, read_image
from server_process import ServerProcess

WIDTH, HEIGHT = 864, 480


def picture(seed: int) -> Image:
    """A soft picture with edges: what a photograph is to an encoder, roughly."""
    noise = np.random.Generator(np.random.PCG64(seed)).integers(0, 255, (12, 20, 3), np.uint8)
    soft = cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    cv2.circle(soft, (WIDTH // 3, HEIGHT // 2), 90, (240, 200, 40), -1, cv2.LINE_AA)
    cv2.rectangle(soft, (500, 120), (760, 400), (30, 60, 160), -1)
    return np.asarray(soft, np.uint8)


def png(image: Image) -> bytes:
    done, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    assert done
    return data.tobytes()


def bomb() -> bytes:
    """A PNG of 20000 x 20000 pixels in a few hundred kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = bytes(1 + 20_000 * 3)
    pixels = b"".join(packer.compress(row) for _ in range(20_000)) + packer.flush()
    head = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


PAGE = b"<!doctype html><html><title>Not found</title><body>No picture here.</body></html>"


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    """A web server with pictures and with what only claims to be one."""
    files = {
        "/one.png": ("image/png", png(picture(1))),
        "/page.png": ("image/png", PAGE),
        "/bomb.png": ("image/png", bomb()),
        "/half.png": ("image/png", png(picture(1))[:5000]),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/away.png":
                self.send_response(302)
                self.send_header("location", "/one.png")
                self.end_headers()
                return
            if self.path == "/round.png":
                self.send_response(302)
                self.send_header("location", "/round.png")
                self.end_headers()
                return
            kind, data = files.get(self.path, ("text/plain", b""))
            self.send_response(200 if data else 404)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            return

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{web.server_port}"
    web.shutdown()
    web.server_close()


def body(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": "snow falls softly"}, *items]
    wanted = {
        "model": "mesh/diorama-1",
        "content": content,
        "resolution": "480p",
        "ratio": "16:9",
        "frames": 24,
    }
    return {**wanted, "seed": 7} | more


def image_item(url: str, role: str | None = None) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}, **({"role": role} if role else {})}


def data_uri(image: Image) -> str:
    return "data:image/png;base64," + base64.b64encode(png(image)).decode()


def opened(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.read()  # type: ignore[no-any-return]


def render(server: ServerProcess, request: dict[str, Any], tmp_path: Any, name: str) -> tuple[Any, Any]:
    task = server.wait(server.call("POST", "/v1/video/generations", request)["id"])
    assert task["status"] == "succeeded", task
    path = tmp_path / f"{name}.mp4"
    path.write_bytes(opened(task["content"]["video_url"]))
    return task, decode(path)


@pytest.mark.slow
def test_the_first_frame_is_the_given_image_and_the_last_one_too(
    server: ServerProcess, host: str, tmp_path: Any
) -> None:
    request = body(
        image_item(f"{host}/away.png", "first_frame"),
        image_item(data_uri(picture(2)), "last_frame"),
        return_last_frame=True,
    )
    task, video = render(server, request, tmp_path, "morph")
    assert (video.width, video.height, len(video.frames)) == (WIDTH, HEIGHT, 24)
    assert psnr(video.frames[0], picture(1)) > 35
    assert psnr(video.frames[-1], picture(2)) > 35
    last = read_image(opened(task["content"]["last_frame_url"]))
    assert psnr(last, video.frames[-1]) > 35


@pytest.mark.slow
def test_one_seed_is_one_video_and_another_seed_another(server: ServerProcess, tmp_path: Any) -> None:
    request = {"camera_fixed": True, "draft": True, "generate_audio": False}
    one, first = render(server, body(**request), tmp_path, "one")
    two, _ = render(server, body(**request), tmp_path, "two")
    other, third = render(server, body(**request, seed=8), tmp_path, "three")
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()
    assert one["seed"] == two["seed"] == 7
    assert other["seed"] == 8
    assert psnr(first.frames[0], third.frames[0]) < 35
    assert first.audio_codec is None


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/missing.png", "HTTP 404"),
        ("/page.png", "HTML"),
        ("/bomb.png", "pixels"),
        ("/half.png", "cut off PNG"),
        ("/round.png", "redirects"),
    ],
)
def test_an_image_of_no_use_fails_the_task_with_invalid_input(
    server: ServerProcess, host: str, path: str, said: str
) -> None:
    created = server.call("POST", "/v1/video/generations", body(image_item(host + path)))
    task = server.wait(created["id"])
    assert task["status"] == "failed"
    assert task["error"]["code"] == "invalid_input"
    assert "content[1]" in task["error"]["message"]
    assert said in task["error"]["message"]
    assert str(server.data) not in task["error"]["message"], "a path of the server reached the caller"
    assert server.call("GET", "/healthz")["status"] == "ok"


def test_an_unreachable_host_fails_the_task_with_invalid_input(server: ServerProcess) -> None:
    created = server.call("POST", "/v1/video/generations", body(image_item("http://127.0.0.1:9/x.png")))
    task = server.wait(created["id"])
    assert (task["status"], task["error"]["code"]) == ("failed", "invalid_input")
    assert "cannot be reached" in task["error"]["message"]


def test_cloud_metadata_is_never_fetched(server: ServerProcess) -> None:
    url = "http://169.254.169.254/latest/meta-data/image.png"
    task = server.wait(server.call("POST", "/v1/video/generations", body(image_item(url)))["id"])
    assert (task["status"], task["error"]["code"]) == ("failed", "invalid_input")
    assert "not fetched from" in task["error"]["message"]
