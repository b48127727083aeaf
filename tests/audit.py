"""``python tests/audit.py``: bandit over what is shipped, and pip-audit over the locked dependencies.

pip-audit asks a service for known vulnerabilities. A package that the service could not be asked about is not
thereby sound, so that is said loudly; but it is no reason to fail on a machine that has no network.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SHIPPED = ("sdk/python/meshapi", "renderer/meshapi_renderer", "server/meshapi_server")
LOCK = ROOT / "requirements" / "lock.txt"
# Ruff looks for these two as well (S104, S608); there each exception stands on its line, with its reason.
SEEN_BY_RUFF = "B104,B608"
_SECONDS = 300


def main() -> int:
    """Run both; 1 when either found something."""
    return max(shipped_code(), dependencies())


def shipped_code() -> int:
    """Bandit's findings of medium severity and confidence or above; 1 when there is one."""
    options = [
        "-q",
        "-r",
        "--severity-level",
        "medium",
        "--confidence-level",
        "medium",
        "--skip",
        SEEN_BY_RUFF,
    ]
    return min(1, subprocess.run([sys.executable, "-m", "bandit", *options, *SHIPPED], cwd=ROOT).returncode)


def dependencies() -> int:
    """What is known about the locked dependencies; 1 when one of them is known to be vulnerable."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "report.json"
        options = ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
        try:
            asked = subprocess.run(
                [sys.executable, "-m", "pip_audit", *options, "--output", str(target), "-r", str(LOCK)],
                capture_output=True,
                text=True,
                timeout=_SECONDS,
            )
            complaint = asked.stderr.strip().rpartition("\n")[2]
        except subprocess.TimeoutExpired:
            complaint = f"no answer within {_SECONDS} s"
        report = json.loads(target.read_text()) if target.exists() else None
    status, words = verdict(report, complaint)
    print(words)
    return status


def verdict(report: dict[str, Any] | None, complaint: str = "") -> tuple[int, str]:
    """The exit status for a report of pip-audit (None: there is none), and what to say."""
    if report is None:
        return 0, f"dependencies: NOT CHECKED, the service was not reached ({complaint[:200]})"
    found = report["dependencies"]
    unknown = [each["name"] for each in found if "skip_reason" in each]
    checked = len(found) - len(unknown)
    vulnerable = [
        f"{each['name']} {each['version']}: {vulnerability['id']},"
        f" fixed in {', '.join(vulnerability['fix_versions']) or 'no version yet'}"
        for each in found
        for vulnerability in each.get("vulns", ())
    ]
    lines = [*vulnerable, f"dependencies: {checked} checked, {len(vulnerable)} known vulnerabilities"]
    if unknown:
        lines.append(f"dependencies: {len(unknown)} NOT CHECKED, the service could not be asked about them")
    return int(bool(vulnerable)), "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
