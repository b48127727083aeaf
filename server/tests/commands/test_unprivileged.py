"""A server needs no privilege: any account will do that may read the program and write its data directory."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..serving import COMMAND, Caller, environment

NOBODY = 65534
PATIENCE = 60.0  # s


@pytest.fixture
def private() -> Iterator[Path]:
    """A directory that nobody (the account) owns, outside of those that only the tester may enter."""
    folder = Path(tempfile.mkdtemp(prefix="mesh-nobody-"))
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


def command() -> list[str]:
    """``meshapi serve`` without any privilege; as it is, when the tester has none either."""
    if os.geteuid() != 0:
        return [COMMAND]
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv (util-linux) is not installed")
    plain = [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs"]
    # Through a child, because setpriv loses its privileges only when it starts a program.
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', ''], check=True)"
    found = subprocess.run([*plain, sys.executable, "-c", child], capture_output=True, check=False)
    if found.returncode == 0:
        return [*plain, "--inh-caps=-all", "--bounding-set=-all", COMMAND]
    # The interpreter lies where only root may look. To read everything still lets nothing be written.
    reading = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    return [*plain, *reading, "--bounding-set=-all,+dac_read_search", COMMAND]


@pytest.mark.slow
def test_a_server_of_an_account_without_privileges_serves_and_writes_in_its_directory_only(
    private: Path,
) -> None:
    data, stderr = private / "data", private / "stderr"
    with stderr.open("wb") as words:
        process = subprocess.Popen(
            [*command(), "serve", "--port", "0", "--data", str(data)],
            stdout=subprocess.DEVNULL,
            stderr=words,
            cwd="/",
            env=environment(HOME=str(private), TMPDIR=str(private)),
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not (data / "development.json").exists():
            assert process.poll() is None, stderr.read_text()
            assert time.monotonic() < deadline, stderr.read_text()
            time.sleep(0.02)
        if os.geteuid() == 0:
            status = Path(f"/proc/{process.pid}/status").read_text()
            assert f"Uid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t{NOBODY}" in status
            assert "NoNewPrivs:\t1" in status
        development = json.loads((data / "development.json").read_text())
        caller = Caller(development["base_url"], development["api_key"])
        task = caller.create("mesh/diorama-1", duration=1, resolution="480p", draft=True)
        ended = caller.ended(task, seconds=60)
        assert ended["status"] == "succeeded", (ended["error"], stderr.read_text())
        owner = os.geteuid() or NOBODY
        assert {path.stat().st_uid for path in data.rglob("*")} == {owner}
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert "Traceback" not in stderr.read_text()
