"""The published package meshapi 0.1.x in an environment of its own: ours has the same name."""

import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("official.txt")
PLACE = Path(sys.prefix) / "official"


@dataclass(frozen=True)
class Official:
    """The interpreter of that environment."""

    python: str

    def run(self, script: Path, *arguments: str, seconds: float = 170) -> subprocess.CompletedProcess[str]:
        """Run a script there, to its end."""
        return subprocess.run(
            [self.python, "-P", str(script), *arguments],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )


def installed(place: Path = PLACE, requirements: Path = REQUIREMENTS) -> Official:
    """The environment, made when it is not there or was made from other requirements.

    Raises RuntimeError, saying what pip said, when it cannot be made.
    """
    stamp = place / "requirements.sha256"
    wanted = f"{sys.version}\n{hashlib.sha256(requirements.read_bytes()).hexdigest()}\n"
    python = place / "bin" / "python"
    if not (stamp.exists() and stamp.read_text() == wanted and python.exists()):
        shutil.rmtree(place, ignore_errors=True)
        _call([sys.executable, "-m", "venv", str(place)])
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        _call([*pip, "--no-deps", "--requirement", str(requirements)])
        stamp.write_text(wanted)
    return Official(str(python))


def _call(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(
            "the environment of the published package meshapi 0.1.x cannot be made (it needs the package"
            f" index, once):\n{' '.join(command)}\n{done.stdout}{done.stderr}"
        )
