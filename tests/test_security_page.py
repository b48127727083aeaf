"""SECURITY.md claims nothing that no test proves."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_test_that_the_security_page_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "SECURITY.md").read_text("utf-8")))
    folders = ("tests", "server/tests", "sdk/python/tests", "renderer/tests")
    files = [path for folder in folders for path in (ROOT / folder).rglob("test_*.py")]
    written = {name for path in files for name in re.findall(r"def (test_\w+)\(", path.read_text("utf-8"))}
    assert len(named) >= 20
    assert named - written == set()
