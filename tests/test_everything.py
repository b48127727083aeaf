"""`make test` runs every suite, and one that fails fails it."""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest

import everything
from everything import BESIDE, ROOT, SHOWN, Suite

PASSES = Suite("passes", (sys.executable, "-c", "print('fine')"))
FAILS = Suite("fails", (sys.executable, "-c", "print('FAILED one'); raise SystemExit(3)"))


def test_every_folder_of_tests_is_run_by_one_lane() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    run = [part for suite in (*SHOWN, *BESIDE) for part in suite.command if (ROOT / part).is_dir()]
    assert sorted(run) == sorted(settings["tool"]["pytest"]["ini_options"]["testpaths"])


def test_one_suite_after_the_other_is_run_and_none_is_skipped_because_one_failed() -> None:
    with tempfile.TemporaryFile() as written:
        assert everything.run([FAILS, PASSES], written) == {"fails": 3, "passes": 0}
        written.seek(0)
        assert written.read().split() == [b"FAILED", b"one", b"fine"]


@pytest.mark.parametrize(
    ("shown", "beside", "status"),
    [(PASSES, PASSES, 0), (FAILS, PASSES, 1), (PASSES, FAILS, 1)],
    ids=["both pass", "the shown one fails", "the one beside fails"],
)
def test_the_whole_passes_when_both_lanes_do(
    tmp_path: Path, shown: Suite, beside: Suite, status: int
) -> None:
    program = tmp_path / "run.py"
    program.write_text(
        f"import sys; sys.path.insert(0, {str(ROOT / 'tests')!r}); import everything\n"
        f"everything.SHOWN = (everything.Suite('shown', {tuple(shown.command)!r}),)\n"
        f"everything.BESIDE = (everything.Suite('beside', {tuple(beside.command)!r}),)\n"
        "sys.exit(everything.main())\n"
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert (f"beside: {'passed' if beside is PASSES else 'FAILED'}" in done.stdout) is True
    assert done.stdout.count("FAILED one") == (beside is FAILS) * 2 + (shown is FAILS)


def test_what_failed_is_told_in_the_words_of_pytest_and_go() -> None:
    failed = ["FAILED a.py::test_b - x", "--- FAIL: TestC (0.00s)", "FAIL\tmodule\t0.1s"]
    text = "\n".join(["ok", *failed, "  FAILED inside"])
    assert everything.failures(text) == failed
