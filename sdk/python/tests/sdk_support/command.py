"""Runs the real ``meshapi`` command in a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .mesh import KEY, MeshService

MESHAPI = str(Path(sys.executable).with_name("meshapi"))


@dataclass(frozen=True)
class Ran:
    """How a run ended and what it printed."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        """Standard output, which must be one JSON document and nothing else."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Command:
    """The command in a folder and an environment of its own."""

    folder: Path
    environment: dict[str, str]

    @classmethod
    def against(cls, service: MeshService | None, folder: Path, **more: str) -> "Command":
        """The command, configured for a service, or for none."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("MESHAPI_", "XDG_"))
        }
        configured = {"MESHAPI_BASE_URL": service.url, "MESHAPI_API_KEY": KEY} if service else {}
        home = {"HOME": str(folder), "COLUMNS": "100", "TERM": "xterm"}
        return cls(folder, {**kept, **home, **configured, **more})

    def run(self, *arguments: str, stdin: str = "") -> Ran:
        """Run to the end."""
        done = subprocess.run(
            [MESHAPI, *arguments],
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, **streams: Any) -> subprocess.Popen[str]:
        """Start without waiting."""
        given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
        return subprocess.Popen(
            [MESHAPI, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            text=True,
            **given,
        )
