"""The database that the suites run on: real, for any user, gone with the session."""

import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from postgres_server import Installation, PostgresServer, from_wheel, installed, running

_NOBODY = 65534
_FOUND = {"machine": installed(), "wheel": from_wheel()}


def found(name: str) -> Installation:
    place = _FOUND[name]
    assert place is not None, "pip install -r requirements/dev.txt"
    return place


kinds = pytest.mark.parametrize("kind", [name for name, place in _FOUND.items() if place or name == "wheel"])


def as_nobody(work: Callable[[], None]) -> None:
    """Run ``work`` in a child that has given root's rights away (where we have them)."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(_NOBODY)
                os.setuid(_NOBODY)
            work()
            status = 0
        except BaseException:  # noqa: BLE001 - the child must not return into pytest
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


def keeps_rows_through_kill_and_restart(server: PostgresServer) -> None:
    name = server.create_database().rpartition("/")[2]
    server.execute("create table kept (x int); insert into kept values (1)", name)
    server.kill()
    server.launch()
    assert server.execute("select x from kept", name) == "1"
    server.restart()
    assert server.execute("select x from kept", name) == "1"


@kinds
def test_it_runs_for_whoever_runs_the_tests_and_keeps_rows_when_killed(kind: str) -> None:
    with running(found(kind)) as server:
        assert server.execute("show fsync") == "on"
        keeps_rows_through_kill_and_restart(server)
        home = server.home
    assert not home.exists()


@kinds
def test_it_runs_for_a_user_without_any_rights(kind: str) -> None:
    def work() -> None:
        assert os.geteuid() != 0
        with running(found(kind), fsync=False) as server:
            assert server.execute("show fsync") == "off"
            keeps_rows_through_kill_and_restart(server)

    as_nobody(work)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts it as somebody else")
def test_programs_that_nobody_may_read_are_copied_to_where_nobody_may(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    wheel = found("wheel")
    for part in wheel.tree.parent.glob(f"{wheel.tree.name}*"):
        subprocess.run(["cp", "-r", str(part), str(private)], check=True)
    tree = private / wheel.tree.name
    hidden = Installation(programs=tree / wheel.programs.relative_to(wheel.tree), tree=tree)
    with running(hidden) as server:
        assert server.execute("select 1") == "1"


def test_it_listens_on_loopback_only_and_wants_a_password() -> None:
    with running() as server:
        assert server.execute("show listen_addresses") == "127.0.0.1"
        assert server.execute("show unix_socket_directories") == ""
        assert set(server.execute("select auth_method from pg_hba_file_rules").split()) == {"scram-sha-256"}


def test_it_ends_and_leaves_no_file_when_its_session_is_killed() -> None:
    program = (
        f"import os, signal, sys; sys.path.insert(0, {str(Path(__file__).parent)!r});"
        "from postgres_server import shared; server = shared();"
        "print(server.home, server.port, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    home = Path(killed.stdout.split()[0])
    assert home.name.startswith("meshapi-postgres-")
    deadline = time.monotonic() + 60
    while home.exists():
        assert time.monotonic() < deadline, list(home.iterdir())
        time.sleep(0.05)
