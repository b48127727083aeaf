"""The two gateways of the comparison as processes on one core each: LiteLLM's proxy, and this server."""

import contextlib
import json
import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from databases import Place
from processes import free_port, running, wait_for
from servers import serving, write_cards

BENCH = Path(__file__).parent
ROOT = BENCH.parent.parent
LITELLM = ROOT / ".venv" / "litellm"
# The proxy in its best configuration: without these two it parses HTTP in Python and looks for a missing
# module on every request (docs/decisions/0005).
PACKAGES = ("litellm[proxy]==1.106.2", "opentelemetry-sdk", "httptools")


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


@dataclass(frozen=True)
class Deployment:
    """A model that the proxy serves: its name there, and LiteLLM's own words for upstream and model."""

    name: str
    model: str
    api_base: str


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
    port = free_port()
    with running([sys.executable, str(BENCH / "stub.py"), str(port)], core, {}):
        wait_for(f"http://127.0.0.1:{port}/v1/videos/video_0", 30)
        yield port


@contextlib.contextmanager
def litellm(folder: Path, deployments: Sequence[Deployment], core: int) -> Iterator[Gateway]:
    """LiteLLM's proxy in front of the deployments: one worker, no database, no telemetry."""
    port, key = free_port(), f"sk-{secrets.token_hex(16)}"
    config = folder / "litellm.yaml"
    models = "".join(
        f"  - model_name: {each.name}\n"
        "    litellm_params:\n"
        f"      model: {each.model}\n"
        f"      api_base: {each.api_base}\n"
        "      api_key: sk-stub\n"
        for each in deployments
    )
    config.write_text(
        f"model_list:\n{models}"
        f"general_settings:\n  master_key: {key}\n"
        "litellm_settings:\n  telemetry: false\n"
    )
    command = [str(install_litellm()), "--config", str(config), "--port", str(port), "--num_workers", "1"]
    variables = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "LITELLM_TELEMETRY": "False"}
    with running(command, core, variables) as process:
        wait_for(f"http://127.0.0.1:{port}/health/liveliness", 180)
        yield Gateway("litellm", port, key, process.pid)


@contextlib.contextmanager
def ours(folder: Path, upstream: int, core: int, *, slots: int) -> Iterator[Gateway]:
    """This server on SQLite, API and worker in one process, in front of the same stub.

    ``slots`` is how many tasks the upstream may have at once: all that are accepted, or (1) next to none, so
    that accepting is measured without the sending.
    """
    home = folder / f"mesh-{slots}"
    home.mkdir()
    variables = {
        "MESHAPI_OPENAI_VIDEOS_BASE_URL": f"http://127.0.0.1:{upstream}/v1",
        "MESHAPI_OPENAI_VIDEOS_TASKS": str(slots),
        "MESHAPI_CARDS": str(write_cards(home / "cards", "openai-videos")),
    }
    place = Place("sqlite", f"sqlite:///{home / 'data' / 'meshapi.db'}")
    with serving(place, home, core, variables) as server:
        yield Gateway(f"mesh-{slots}", server.port, server.key, server.api)
