"""Go programs of the tests: one module that sees the SDK of this tree, built by one run of the compiler."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
GO = Path(sys.executable).with_name("go")
MODULE = f"""module example

go 1.23

require github.com/aifiesta/meshapi-go-sdk v0.0.0

replace github.com/aifiesta/meshapi-go-sdk => {ROOT / "sdk" / "go"}
"""
OFFLINE = {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": "-mod=mod"}


class GoPrograms:
    """A module with one folder for each program."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names: list[str] = []
        (folder / "go.mod").write_text(MODULE)

    def add(self, name: str, source: str) -> None:
        """Add a program: the source of its package main."""
        assert name not in self._names, f"two Go programs are called {name}"
        self._names.append(name)
        place = self.folder / name
        place.mkdir()
        (place / "main.go").write_text(source, "utf-8")

    def add_all(self, programs: Mapping[str, str]) -> None:
        """Add several."""
        for name, source in programs.items():
            self.add(name, source)

    def build(self) -> None:
        """Compile all of them. A compiler error names the page and line that the code stands on."""
        (self.folder / "bin").mkdir()
        done = subprocess.run(
            [str(GO), "build", "-o", "bin/", "./..."],
            cwd=self.folder,
            env={**os.environ, **OFFLINE},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"the Go programs do not compile:\n{done.stdout}{done.stderr}"
        assert sorted(path.name for path in (self.folder / "bin").iterdir()) == sorted(self._names)

    def command(self, name: str) -> Path:
        """The executable of a program."""
        return self.folder / "bin" / name

    def run(
        self, name: str, *arguments: str, base_url: str, key: str, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program against a server, to its end."""
        return subprocess.run(
            [str(self.command(name)), *arguments],
            cwd=cwd or self.folder,
            env={**os.environ, "MESHAPI_BASE_URL": base_url, "MESHAPI_API_KEY": key},
            capture_output=True,
            text=True,
            timeout=170,
            check=False,
        )
