"""An engine of the operator's own, as a server in this process, whose videos are as large as a test wants.

A video is the packaged clip with a box behind it that players pass over (ISO/IEC 14496-12, ``free``), so that
it is a real one of any size. What is in the box differs everywhere, so that no misplaced byte goes unseen.
"""

import json
import random
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path

MODEL = "openai-videos/large"
_BLOCK = 1 << 20

CARD = f"""
upstream = "openai-videos"
name = "Engine"

[[models]]
id = "{MODEL}"
upstream_id = "large"
name = "Large"
brand = "Team"
description = "Gives large videos."
scenarios = ["text"]
durations = [2]
resolutions = ["480p"]
ratios = ["16:9"]
fps = [24]
audio = "always"
free = true
usual_seconds = 1
defaults = {{ duration = 2, resolution = "480p", ratio = "16:9" }}
"""


@dataclass(frozen=True)
class LargeUpstream:
    """The engine: what a server needs to use it."""

    variables: dict[str, str]


def write_large(path: Path, size: int) -> None:
    """A video of ``size`` bytes."""
    clip = resources.files("meshapi_server.upstreams.sandbox").joinpath("clip.mp4").read_bytes()
    rest = size - len(clip)
    noise = random.Random(size)
    with path.open("wb") as file:
        file.write(clip + struct.pack(">I4s", rest, b"free"))
        left = rest - 8
        while left:
            block = noise.randbytes(min(_BLOCK, left))
            file.write(block)
            left -= len(block)


@contextmanager
def large_upstream(folder: Path, size: int) -> Iterator[LargeUpstream]:
    """A running engine whose videos have ``size`` bytes."""
    video, cards = folder / "large.mp4", folder / "cards"
    write_large(video, size)
    cards.mkdir()
    (cards / "large.toml").write_text(CARD)

    class Engine(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self._tell({"id": "video_1", "status": "queued"})

        def do_GET(self) -> None:
            if not self.path.endswith("/content"):
                self._tell({"id": "video_1", "status": "completed", "progress": 100})
                return
            self.send_response(200)
            self.send_header("content-type", "video/mp4")
            self.send_header("content-length", str(size))
            self.end_headers()
            with video.open("rb") as file:
                while block := file.read(_BLOCK):
                    self.wfile.write(block)

        def _tell(self, body: dict[str, object]) -> None:
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.send_header("openai-poll-after-ms", "50")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            return

    engine = ThreadingHTTPServer(("127.0.0.1", 0), Engine)
    thread = threading.Thread(target=engine.serve_forever)
    thread.start()
    base_url = f"http://127.0.0.1:{engine.server_port}/v1"
    try:
        yield LargeUpstream({"MESHAPI_OPENAI_VIDEOS_BASE_URL": base_url, "MESHAPI_CARDS": str(cards)})
    finally:
        engine.shutdown()
        thread.join()
        engine.server_close()
