"""The list of known failing cases keeps honest: a case on it that passes fails the build."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sdk_support.vectors import KNOWN_FAILING, load, parameters

SUITE = [
    {"description": "one is one", "given": 1, "want": 1},
    {"description": "one is two", "given": 1, "want": 2},
]
TEST = """
import json, sys
sys.path.insert(0, {support!r})
import pytest
from sdk_support.vectors import parameters

@pytest.mark.parametrize(("given", "want"), parameters("numbers", {cases!r}, {known!r}))
def test_numbers(given, want):
    assert given == want
"""


def _run(folder: Path, known: dict[str, list[str]]) -> subprocess.CompletedProcess[str]:
    support = str(Path(__file__).parent)
    (folder / "test_numbers.py").write_text(TEST.format(support=support, cases=SUITE, known=known))
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "--rootdir", folder, folder],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )


def test_a_known_failing_case_does_not_fail_the_build(tmp_path):
    ran = _run(tmp_path, {"numbers": ["one is two"]})
    assert ran.returncode == 0, ran.stdout
    assert "1 passed, 1 xfailed" in ran.stdout


def test_a_failing_case_that_is_not_listed_fails_the_build(tmp_path):
    ran = _run(tmp_path, {})
    assert ran.returncode == 1
    assert "1 failed, 1 passed" in ran.stdout


def test_a_listed_case_that_passes_fails_the_build(tmp_path):
    ran = _run(tmp_path, {"numbers": ["one is one", "one is two"]})
    assert ran.returncode == 1
    assert "XPASS(strict)" in ran.stdout


def test_a_listed_case_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="does not have: \\['one is three'\\]"):
        parameters("numbers", SUITE, {"numbers": ["one is three"]})


def test_every_listed_suite_is_there():
    for suite in json.loads(KNOWN_FAILING.read_text("utf-8")):
        assert load(f"vectors/{suite}.json")["cases"]


def test_every_suite_of_the_contract_is_run():
    suites = {path.stem for path in Path(KNOWN_FAILING.parents[3] / "contract" / "vectors").glob("*.json")}
    tests = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert {suite for suite in suites if f'cases("{suite}")' not in tests} == set()
