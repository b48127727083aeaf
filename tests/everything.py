"""Run every suite, what `make test` does: two lanes side by side, each one suite after the other.

    python tests/everything.py

The first lane mostly waits for processes that it starts, kills and asks; the second mostly computes. The
first is shown as it runs, the second when both are done; what failed stands at the end of all.
"""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
PYTEST = (sys.executable, "-m", "pytest")


@dataclass(frozen=True)
class Suite:
    """A command whose exit status tells whether everything held."""

    name: str
    command: Sequence[str]


BESIDE_PYTEST = (*PYTEST, "-o", "cache_dir=.pytest_cache/beside")
SHOWN = (Suite("acceptance and Python SDK", (*PYTEST, "tests", "sdk/python/tests")),)
BESIDE = (
    Suite("renderer", (*BESIDE_PYTEST, "renderer/tests")),
    Suite("Go SDK", ("sh", "sdk/go/check.sh")),
    Suite("server", (*BESIDE_PYTEST, "server/tests")),
)


def run(suites: Sequence[Suite], output: IO[bytes] | None) -> dict[str, int]:
    """The exit status of each suite; ``output`` is where they write, None for this process's own."""
    statuses = {}
    for suite in suites:
        done = subprocess.run(
            suite.command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
        statuses[suite.name] = done.returncode
    return statuses


def failures(text: str) -> list[str]:
    """The lines in which pytest and Go sum up what failed."""
    return [
        line for line in text.splitlines() if line.startswith(("FAILED ", "ERROR ", "--- FAIL", "FAIL\t"))
    ]


def main() -> int:
    """Run both lanes; 0 when every suite held."""
    os.environ.setdefault("GO", str(Path(sys.executable).parent / "go"))
    beside: dict[str, int] = {}
    with tempfile.TemporaryFile() as written:
        lane = threading.Thread(target=lambda: beside.update(run(BESIDE, written)))
        lane.start()
        try:
            shown = run(SHOWN, None)
        finally:
            lane.join()
        written.seek(0)
        text = written.read().decode(errors="replace")
    print(text, flush=True)
    for line in failures(text):
        print(line)
    statuses = shown | beside
    for name, status in statuses.items():
        print(f"{name}: {'passed' if status == 0 else f'FAILED (exit status {status})'}", flush=True)
    return 0 if len(statuses) == len(SHOWN + BESIDE) and not any(statuses.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
