"""Type checkers see the public API as it is meant: mypy and pyright, both strict, over a file of uses."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
USES = Path(__file__).with_name("uses.py")
CHECKERS = {
    "mypy": [sys.executable, "-m", "mypy", "--strict"],
    "pyright": [sys.executable, "-m", "pyright", "--pythonpath", sys.executable],
}


def check(checker: str, file: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*CHECKERS[checker], str(file)], cwd=ROOT, capture_output=True, text=True, timeout=170, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("checker", CHECKERS)
def test_a_checker_finds_nothing_wrong_with_the_uses(checker: str) -> None:
    ran = check(checker, USES)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.slow
@pytest.mark.parametrize("checker", CHECKERS)
@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("assert_type(task.is_terminal, bool)", "assert_type(task.is_terminal, str)", "is_terminal, str"),
        ("client.videos.retrieve(7)", 'client.videos.retrieve("7")', 'retrieve("7")'),
        ("max_wait=600,", 'max_wait="600",', 'max_wait="600"'),
    ],
)
def test_a_checker_finds_what_is_wrong(
    checker: str, right: str, wrong: str, complaint: str, tmp_path: Path
) -> None:
    source = USES.read_text("utf-8")
    assert source.count(right) == 1
    changed = tmp_path / "changed.py"
    changed.write_text(source.replace(right, wrong), "utf-8")
    ran = check(checker, changed)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    line = source.replace(right, wrong).split(complaint)[0].count("\n") + 1
    assert f"changed.py:{line}" in ran.stdout
