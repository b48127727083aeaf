"""A whole installation on this machine: database, API processes, workers, a paid upstream."""

import contextlib
import json
import os
import random
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.postgres_server import running
from tests.server_process import MESHAPI
from tests.upstreams.fake import FakeProcess

from meshapi_server.upstreams.enabled import variable

from .cards import USUAL, Seller, card_files
from .databases import Database, PostgresDatabase, SqliteFile
from .member import Member, Role

# No setting or key of the machine may reach these servers.
_KEPT = ("PATH", "PYTHONPATH", "HOME", "LANG", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "TMPDIR", "VIRTUAL_ENV")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to build. Times are seconds; ``slots`` is how many tasks each paid upstream may have at once, and
    ``engine_slots`` how many the engine may have.

    An embedded database allows one process only, whatever ``apis`` and ``workers`` say.
    """

    database: str
    apis: int = 2
    workers: int = 3
    lease: float = 3.0
    reconcile_within: float = 6.0
    slots: int = 60
    engine_slots: int = 60
    submits_at_once: int = 16
    sellers: tuple[Seller, ...] = USUAL


@dataclass(frozen=True)
class Key:
    """An API key. ``concurrency`` is how many of its tasks may be at upstreams at once."""

    secret: str
    id: str
    owner: str
    concurrency: int | None


class Cluster:
    """Started processes over one data directory. The members' names are ``api-0``, ``worker-1`` and so on."""

    def __init__(self, folder: Path, plan: Plan, database: Database, upstream: FakeProcess) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.plan = plan
        self.database = database
        self.upstream = upstream
        self._options = ("--data", str(self.data), "--lease", str(plan.lease), *database.options)
        self._environment = self._variables()
        self._watchdog = _watchdog()
        self.members = self._members()

    @property
    def apis(self) -> list[Member]:
        """The processes that answer callers."""
        return [member for member in self.members if member.role != "worker"]

    @property
    def workers(self) -> list[Member]:
        """The processes that drive tasks."""
        return [member for member in self.members if member.role != "api"]

    def start(self) -> None:
        """Start everything; the first process alone, as it makes the schema."""
        first, *others = self.members
        first.start()
        with ThreadPoolExecutor(len(self.members)) as pool:
            list(pool.map(Member.start, others))

    def stop(self) -> None:
        """Drain every process, all at once."""
        with ThreadPoolExecutor(len(self.members)) as pool:
            for each in [pool.submit(member.drain) for member in self.members]:
                each.result()

    def end(self) -> None:
        """End what still runs."""
        for member in self.members:
            member.end()
        self._watchdog.communicate()

    def create_key(
        self,
        name: str,
        *,
        owner: str | None = None,
        concurrency: int | None = None,
        budget: str | None = None,
    ) -> Key:
        """A new key, made by the command; ``budget`` is what it may spend in all, in dollars."""
        options = ["--name", name, "--json"]
        if owner is not None:
            options += ["--owner", owner]
        if concurrency is not None:
            options += ["--concurrency", str(concurrency)]
        if budget is not None:
            options += ["--budget-total", budget]
        answer = self.command("keys", "create", *options)
        assert answer.returncode == 0, answer.stderr
        made = json.loads(answer.stdout)
        return Key(made["key"], made["id"], made["owner"], made["concurrency"])

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``meshapi …`` on this installation's database."""
        return subprocess.run(
            [MESHAPI, *arguments, "--data", str(self.data), *self.database.options],
            capture_output=True,
            text=True,
            env=self._environment,
            timeout=60,
            check=False,
        )

    def _members(self) -> list[Member]:
        if not self.database.shared:
            return [self._member("all-0", "all", self._ports[0])]
        apis = [self._member(f"api-{number}", "api", self._ports[number]) for number in range(self.plan.apis)]
        return apis + [
            self._member(f"worker-{number}", "worker", None) for number in range(self.plan.workers)
        ]

    def _member(self, name: str, role: Role, port: int | None) -> Member:
        return Member(name, role, self.folder, self._options, self._environment, self._watchdog.pid, port)

    def _variables(self) -> dict[str, str]:
        self._ports = free_ports(self.plan.apis)
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        return kept | {
            "MESHAPI_PUBLIC_URL": f"http://127.0.0.1:{self._ports[0]}",
            "MESHAPI_SIMULATE": "false",
            "MESHAPI_RENDERS": "1",
            "MESHAPI_RENDER_THREADS": "1",
            "MESHAPI_RECONCILE_WITHIN": str(self.plan.reconcile_within),
            "MESHAPI_SUBMITS_AT_ONCE": str(self.plan.submits_at_once),
            "MESHAPI_CARDS": str(self._cards()),
            **_upstream_variables(self.upstream, self.plan),
        }

    def _cards(self) -> Path:
        folder = self.folder / "cards"
        folder.mkdir(exist_ok=True)
        for name, text in card_files(self.plan.sellers).items():
            (folder / f"{name}.toml").write_text(text)
        return folder


def _upstream_variables(upstream: FakeProcess, plan: Plan) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for seller in plan.sellers:
        slots = plan.engine_slots if seller.upstream == "openai-videos" else plan.slots
        found |= {
            **seller.environment,
            variable(seller.upstream, "BASE_URL"): upstream.base_url(seller.upstream),
            variable(seller.upstream, "TASKS"): str(slots),
        }
    return found


def _watchdog() -> subprocess.Popen[bytes]:
    """Leads the group of the servers, and ends all of it once this process is gone, however that happened."""
    return subprocess.Popen(
        ["/bin/sh", "-c", "cat >/dev/null; kill -KILL 0"], stdin=subprocess.PIPE, process_group=0
    )


@contextlib.contextmanager
def cluster(folder: Path, plan: Plan) -> Iterator[Cluster]:
    """A cluster that is not started yet, with its database and its upstream; ended with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        upstream = FakeProcess(folder).start()
        stack.callback(upstream.stop)
        database: Database
        if plan.database == "postgres":
            database = PostgresDatabase(stack.enter_context(running()))
        else:
            database = SqliteFile(folder / "data")
        made = Cluster(folder, plan, database, upstream)
        stack.callback(made.end)
        yield made


def free_ports(count: int) -> Sequence[int]:
    """Free ports below those that the kernel gives to outgoing connections.

    A process that is killed and started again must find its port free, on a machine full of connections.
    """
    found: list[int] = []
    draw = random.SystemRandom()
    while len(found) < count:
        port = draw.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in found:
                found.append(port)
    return found
