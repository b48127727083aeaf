"""What the audit makes of the answers it gets: silence is never taken for soundness."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

_SPEC = importlib.util.spec_from_file_location("audit", Path(__file__).with_name("audit.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
audit = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(audit)

SOUND: dict[str, Any] = {"name": "a", "version": "1", "vulns": []}
UNKNOWN = {"name": "b", "skip_reason": "not found"}
VULNERABLE = {"name": "c", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}


@pytest.mark.parametrize(
    ("found", "status", "words"),
    [
        ([SOUND], 0, ["1 checked, 0 known vulnerabilities"]),
        ([SOUND, VULNERABLE], 1, ["c 2: PYSEC-1, fixed in 2.1", "2 checked, 1 known"]),
        ([SOUND, UNKNOWN], 0, ["1 checked", "1 NOT CHECKED"]),
        ([UNKNOWN], 0, ["0 checked", "1 NOT CHECKED"]),
        ([UNKNOWN, VULNERABLE], 1, ["PYSEC-1", "1 NOT CHECKED"]),
    ],
)
def test_what_is_vulnerable_fails_and_what_was_not_asked_about_is_said(
    found: list[dict[str, Any]], status: int, words: list[str]
) -> None:
    told_status, told = audit.verdict({"dependencies": found})
    assert told_status == status
    assert [each for each in words if each not in told] == []


def test_a_service_that_is_not_reached_fails_nothing_and_is_no_all_clear() -> None:
    status, words = audit.verdict(None, "connection refused")
    assert status == 0
    assert "NOT CHECKED" in words
    assert "connection refused" in words
