"""The two gateways of the comparison as processes on one core each: LiteLLM's proxy, and this server."""

import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

BENCH = Path(__file__).parent
ROOT = BENCH.parent.parent
LITELLM = ROOT / ".venv" / "litellm"
# The proxy in its best configuration: without these two it parses HTTP in Python and looks for a missing
# module on every request (docs/decisions/0005).
PACKAGES = ("litellm[proxy]==1.106.2", "opentelemetry-sdk", "httptools")

CARD = """
upstream = "openai-videos"
name = "A stub"
[[models]]
id = "openai-videos/sora-2"
upstream_id = "sora-2"
name = "Stub"
brand = "Stub"
description = "Takes everything, ends nothing."
scenarios = ["text"]
durations = [4, 8, 12]
resolutions = ["720p"]
ratios = ["16:9"]
audio = "never"
defaults = { duration = 4, resolution = "720p", ratio = "16:9" }
price_unknown = "It is a stub."
usual_seconds = 600
"""


@dataclass(frozen=True)
class Gateway:
    """One running gateway: where it listens, and the process whose CPU time counts."""

    name: str
    port: int
    key: str
    pid: int

    def create(self) -> tuple[str, bytes]:
        """Path and body of a create."""
        if self.name == "litellm":
            body = {"model": "sora-2", "prompt": "A serene mountain lake", "seconds": "4", "size": "1280x720"}
            return "/v1/videos", json.dumps(body).encode()
        content = [{"type": "text", "text": "A serene mountain lake"}]
        body = {"model": "openai-videos/sora-2", "content": content, "duration": 4, "resolution": "720p"}  # type: ignore[dict-item]
        return "/v1/video/generations", json.dumps(body).encode()


def install_litellm() -> Path:
    """The proxy's command, in a virtual environment of its own that is made the first time (some 600 MB)."""
    command = LITELLM / "bin" / "litellm"
    if not command.exists():
        print(f"installing {', '.join(PACKAGES)} into {LITELLM.relative_to(ROOT)}, once ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(LITELLM)], check=True)
        pip = [
            str(LITELLM / "bin" / "python"),
            "-m",
            "pip",
            "--disable-pip-version-check",
            "install",
            "--quiet",
        ]
        subprocess.run([*pip, *PACKAGES], check=True)
    return command


@contextlib.contextmanager
def stub(core: int) -> Iterator[int]:
    """The upstream; yields its port."""
    port = _free_port()
    with _process([sys.executable, str(BENCH / "stub.py"), str(port)], core, {}):
        _wait_for(f"http://127.0.0.1:{port}/v1/videos/video_0", 30)
        yield port


@contextlib.contextmanager
def litellm(folder: Path, upstream: int, core: int) -> Iterator[Gateway]:
    """LiteLLM's proxy in front of the stub: one worker, no database, no telemetry."""
    port, key = _free_port(), f"sk-{secrets.token_hex(16)}"
    config = folder / "litellm.yaml"
    config.write_text(
        "model_list:\n"
        "  - model_name: sora-2\n"
        "    litellm_params:\n"
        "      model: openai/sora-2\n"
        f"      api_base: http://127.0.0.1:{upstream}/v1\n"
        "      api_key: sk-stub\n"
        f"general_settings:\n  master_key: {key}\n"
        "litellm_settings:\n  telemetry: false\n"
    )
    command = [str(install_litellm()), "--config", str(config), "--port", str(port), "--num_workers", "1"]
    variables = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "LITELLM_TELEMETRY": "False"}
    with _process(command, core, variables) as process:
        _wait_for(f"http://127.0.0.1:{port}/health/liveliness", 180)
        yield Gateway("litellm", port, key, process.pid)


@contextlib.contextmanager
def ours(folder: Path, upstream: int, core: int, *, slots: int) -> Iterator[Gateway]:
    """This server on SQLite, API and worker in one process, in front of the same stub.

    ``slots`` is how many tasks the upstream may have at once: all that are accepted, or (1) next to none, so
    that accepting is measured without the sending.
    """
    cards = folder / "cards"
    cards.mkdir(exist_ok=True)
    (cards / "stub.toml").write_text(CARD)
    data = folder / f"data-{slots}"
    command = [str(Path(sys.executable).with_name("meshapi")), "serve", "--port", "0", "--data", str(data)]
    variables = {
        "MESHAPI_OPENAI_VIDEOS_BASE_URL": f"http://127.0.0.1:{upstream}/v1",
        "MESHAPI_OPENAI_VIDEOS_TASKS": str(slots),
        "MESHAPI_CARDS": str(cards),
        "MESHAPI_LOG_LEVEL": "error",
    }
    with _process([*command], core, variables) as process:
        known = data / "development.json"
        deadline = time.monotonic() + 60
        while not known.exists():
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.05)
        found = json.loads(known.read_text())
        _wait_for(f"{found['base_url']}/readyz", 30)
        port = int(re.split(r":(?=\d+$)", found["base_url"])[1])
        yield Gateway(f"mesh-{slots}", port, found["api_key"], process.pid)


@contextlib.contextmanager
def _process(
    command: list[str], core: int, variables: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    pinned = ["taskset", "-c", str(core), *command] if shutil.which("taskset") else command
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MESHAPI_")}
    process = subprocess.Popen(
        pinned, env=environment | variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(url: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.1)
        else:
            return
