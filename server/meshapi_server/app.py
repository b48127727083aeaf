"""Composition: the only place that names concrete classes."""

import asyncio
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import structlog
from msgspec import Struct

from meshapi_server import __version__
from meshapi_server.accounts.keys import Keys
from meshapi_server.api.application import Application
from meshapi_server.api.content import Content
from meshapi_server.api.events import Events
from meshapi_server.api.generations import Generations
from meshapi_server.api.health import HealthCheck
from meshapi_server.api.models import Models
from meshapi_server.api.openapi import OpenAPI
from meshapi_server.api.view import TaskView
from meshapi_server.files.links import Links
from meshapi_server.files.local import LocalFiles
from meshapi_server.files.sources import Sources
from meshapi_server.settings import Settings, configured_upstreams
from meshapi_server.store.sqlite import SqliteStore
from meshapi_server.store.sqlite_keys import SqliteKeys
from meshapi_server.tasks import ids
from meshapi_server.tasks.changes import Changes
from meshapi_server.tasks.clock import system_clock
from meshapi_server.tasks.jobs import Jobs
from meshapi_server.tasks.service import TaskService
from meshapi_server.tasks.worker import Worker, WorkerSettings
from meshapi_server.upstreams.catalogue import Catalogue
from meshapi_server.upstreams.diorama import Diorama
from meshapi_server.upstreams.registry import Registry
from meshapi_server.upstreams.sandbox import Sandbox

log = structlog.get_logger("meshapi.server")

_IDEMPOTENCY_KEPT = 48 * 3600 * 1000  # ms; wire.md section 1 asks for 24 h at least
_SWEEP_EVERY = 600.0


class Profile(Struct, frozen=True, kw_only=True):
    """What follows from settings and environment together."""

    simulate: bool
    private_sources: bool

    @classmethod
    def of(cls, settings: Settings, environment: Mapping[str, str]) -> "Profile":
        """Simulation is on when no upstream key is configured, unless it was set (wire.md section 10)."""
        development = not configured_upstreams(environment)
        simulate = development if settings.simulate is None else settings.simulate
        private = development if settings.private_sources is None else settings.private_sources
        return cls(simulate=simulate, private_sources=private)


class Server:
    """A running server: built by :meth:`build`, started and stopped by the application's lifespan."""

    def __init__(self, store: SqliteStore, keys: Keys, worker: Worker, app: Application) -> None:
        self.store = store
        self.keys = keys
        self.worker = worker
        self.app = app

    @classmethod
    async def build(
        cls, database: Path, settings: Settings, public_url: str, environment: Mapping[str, str] = os.environ
    ) -> "Server":
        """Open the store and put the parts together. The caller holds the data directory's lock."""
        clock = system_clock
        profile = Profile.of(settings, environment)
        store = SqliteStore(database, clock)
        await store.open()
        key_store = SqliteKeys(store)
        files = LocalFiles(database.parent)
        files.open()
        links = Links(
            public_url,
            await key_store.secret("links", secrets.token_bytes(32)),
            clock,
            settings.link_lifetime,
        )
        cores = os.cpu_count() or 1
        diorama = Diorama(
            Sources(private=profile.private_sources).fetch,
            capacity=settings.renders or max(2, cores // 2),
            threads=settings.render_threads or min(4, cores),
        )
        sandbox = Sandbox(clock)
        changes = Changes()
        registry = Registry(Catalogue.load(), {diorama.name, sandbox.name}, simulate=profile.simulate)
        jobs = Jobs(store, _no_callbacks)
        tasks = TaskService(store, registry, files, changes, clock)
        worker = Worker(
            store,
            files,
            changes,
            clock,
            jobs,
            WorkerSettings(name=f"{os.getpid()}-{ids.ulid()}", lease=settings.lease, tick=settings.tick),
            local={diorama.name: diorama},
            remote={sandbox.name: sandbox},
        )
        keys = Keys(key_store, clock)
        running = _Running(store, worker)
        view = TaskView(links)
        operations = (
            *Generations(tasks, view).operations(),
            *Events(tasks, view).operations(),
            *Content(tasks, files, links).operations(),
            *Models(registry).operations(),
            *HealthCheck(__version__, running.check).operations(),
        )
        document = OpenAPI(operations, __version__, public_url)
        app = Application(
            (*operations, document.operation()), keys, startup=running.start, shutdown=running.stop
        )
        return cls(store, keys, worker, app)


def _no_callbacks(upstream: str, task_id: str) -> str | None:
    return None


class _Running:
    """The background work of a server, between startup and shutdown."""

    def __init__(self, store: SqliteStore, worker: Worker) -> None:
        self._store = store
        self._worker = worker
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take over what an earlier server left and begin to work."""
        await self._worker.prepare(alone=True)
        self._tasks = [asyncio.create_task(self._worker.run()), asyncio.create_task(self._sweep())]

    async def stop(self) -> None:
        """Give unfinished work back and close the store."""
        await self._worker.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._store.close()

    async def check(self) -> None:
        """Raise when the store does not answer or the worker has ended."""
        await self._store.count_states()
        if not self._tasks or any(task.done() for task in self._tasks):
            raise RuntimeError("the worker does not run")

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_EVERY)
            forgotten = await self._store.sweep_idempotency(system_clock() - _IDEMPOTENCY_KEPT)
            log.debug("swept idempotency keys", forgotten=forgotten)
