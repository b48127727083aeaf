"""Published SDKs of upstreams, each in an environment of its own: they must not meet ours, nor one another.

A folder of this directory holds ``requirements.txt`` and ``published_sdk.py``, a program that is given the
base URL and the key of a fake upstream and prints one JSON object of what the SDK made of it.
"""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PLACE = Path(sys.prefix) / "published"


def environment(name: str) -> Path:
    """The interpreter of the environment, made when it is missing or was made from other requirements.

    Raises RuntimeError with what pip said.
    """
    requirements = HERE / name / "requirements.txt"
    place = PLACE / name
    stamp, python = place / "made-from", place / "bin" / "python"
    wanted = f"{sys.version}\n{hashlib.sha256(requirements.read_bytes()).hexdigest()}\n"
    if not (stamp.exists() and stamp.read_text() == wanted and python.exists()):
        shutil.rmtree(place, ignore_errors=True)
        _call([sys.executable, "-m", "venv", str(place)])
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        _call([*pip, "--requirement", str(requirements)])
        stamp.write_text(wanted)
    return python


async def run(name: str, *arguments: str, seconds: float = 150) -> dict[str, Any]:
    """Run the program of a folder to its end; what it printed. The caller's loop goes on meanwhile."""
    python = await asyncio.to_thread(environment, name)
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
    process = await asyncio.create_subprocess_exec(
        str(python),
        str(HERE / name / "published_sdk.py"),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=kept,
    )
    try:
        async with asyncio.timeout(seconds):
            printed, complained = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, complained.decode()
    heard: dict[str, Any] = json.loads(printed)
    return heard


def _call(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(
            "a published SDK cannot be installed (it needs the package index, once):\n"
            f"{' '.join(command)}\n{done.stdout}{done.stderr}"
        )
