"""Composition: the only place that names concrete classes."""

import asyncio
import functools
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping

import structlog
from msgspec import Struct
from yarl import URL

from meshapi_server import __version__
from meshapi_server.accounts.keys import Keys
from meshapi_server.api.admin_keys import AdminKeys
from meshapi_server.api.application import Application
from meshapi_server.api.call import Call
from meshapi_server.api.content import Content, Delivery
from meshapi_server.api.content_items import http_url_problem
from meshapi_server.api.cross_origin import CrossOrigin
from meshapi_server.api.deliveries import Deliveries
from meshapi_server.api.events import Events
from meshapi_server.api.feed import Feed
from meshapi_server.api.generations import Generations
from meshapi_server.api.health import HealthCheck
from meshapi_server.api.models import Models
from meshapi_server.api.openapi import OpenAPI
from meshapi_server.api.secure_headers import transport_security
from meshapi_server.api.timeline import Timeline
from meshapi_server.api.upstream_callbacks import UpstreamCallbacks
from meshapi_server.api.usage import Usage
from meshapi_server.api.view import TaskView
from meshapi_server.api.webhook_bodies import callback_body
from meshapi_server.api.webhooks import WebhookEndpoints
from meshapi_server.callbacks.courier import Courier, CourierSettings
from meshapi_server.callbacks.sender import Sender
from meshapi_server.callbacks.service import Webhooks
from meshapi_server.database import Database
from meshapi_server.destinations.guard import Guard
from meshapi_server.files.links import Links
from meshapi_server.files.probe import Probe
from meshapi_server.files.results import Results
from meshapi_server.files.retention import Retention
from meshapi_server.files.sources import Sources
from meshapi_server.files.storage_url import storage_of
from meshapi_server.files.sweeper import Sweeper
from meshapi_server.files.workshop import Workshop
from meshapi_server.settings import Settings
from meshapi_server.tasks import ids
from meshapi_server.tasks.changes import Changes
from meshapi_server.tasks.clock import Clock
from meshapi_server.tasks.jobs import Jobs
from meshapi_server.tasks.schedule import CALL_SHARE
from meshapi_server.tasks.service import TaskService
from meshapi_server.tasks.worker import Worker, WorkerSettings
from meshapi_server.upstreams.adapter import Announcement
from meshapi_server.upstreams.announcements import Announcements, Noted
from meshapi_server.upstreams.callback_urls import CallbackURLs
from meshapi_server.upstreams.card import Upstream as CardFile
from meshapi_server.upstreams.catalogue import Catalogue
from meshapi_server.upstreams.contract import FetchInput, LocalUpstream, RemoteUpstream
from meshapi_server.upstreams.diffusers import Diffusers, DiffusersMisconfigured, check_python, configured
from meshapi_server.upstreams.diorama import Diorama
from meshapi_server.upstreams.enabled import UpstreamMisconfigured, close, enabled, enabled_names
from meshapi_server.upstreams.registry import Registry
from meshapi_server.upstreams.runner import HttpUpstream
from meshapi_server.upstreams.sandbox import Sandbox

log = structlog.get_logger("meshapi.server")

_IDEMPOTENCY_KEPT = 48 * 3600 * 1000  # ms; wire.md section 1 asks for 24 h at least
_SWEEP_EVERY = 600.0


class Profile(Struct, frozen=True, kw_only=True):
    """What follows from settings and environment together."""

    simulate: bool
    guard: Guard

    @classmethod
    def of(cls, settings: Settings, environment: Mapping[str, str]) -> "Profile":
        """Simulation is on while no upstream is, unless it was set (wire.md section 10)."""
        development = not enabled_names(environment)
        simulate = development if settings.simulate is None else settings.simulate
        private = development if settings.private_sources is None else settings.private_sources
        guard = Guard(private=private, ports=None if private else frozenset(settings.ports))
        return cls(simulate=simulate, guard=guard)


class Upstreams(Struct, frozen=True, kw_only=True):
    """The upstreams that are on; ``paid`` are those that are asked over the network.

    ``diffusers`` are the operator's own model folders, one of the local upstreams where there are any.
    """

    local: Mapping[str, LocalUpstream]
    remote: Mapping[str, RemoteUpstream]
    paid: tuple[HttpUpstream, ...]
    diffusers: Diffusers | None = None

    @classmethod
    def of(
        cls, settings: Settings, profile: Profile, database: Database, environment: Mapping[str, str]
    ) -> "Upstreams":
        """The built-in model, the sandbox, and every upstream that is configured."""
        cores = os.cpu_count() or 1
        fetch = Sources(profile.guard).fetch
        diorama = Diorama(
            fetch,
            capacity=settings.renders or max(2, cores // 2),
            threads=settings.render_threads or min(4, cores),
        )
        sandbox = Sandbox(database.clock)
        call = settings.lease * CALL_SHARE
        paid = enabled(environment, database.clock, lease=call, fetch_input=fetch)
        remote: dict[str, RemoteUpstream] = {sandbox.name: sandbox}
        remote |= {upstream.name: upstream for upstream in paid}
        local: dict[str, LocalUpstream] = {diorama.name: diorama}
        diffusers = _diffusers(settings, environment, fetch)
        if diffusers is not None:
            local[diffusers.name] = diffusers
        return cls(local=local, remote=remote, paid=paid, diffusers=diffusers)

    @property
    def names(self) -> frozenset[str]:
        """Whose models can be asked for."""
        return frozenset((*self.local, *self.remote))

    @property
    def cards(self) -> tuple[CardFile, ...]:
        """The cards of models that no card file has."""
        return () if self.diffusers is None else (self.diffusers.card,)


class Server:
    """A server in one of its roles: ``app`` answers callers, the worker drives tasks; either may be off."""

    def __init__(
        self,
        database: Database,
        files: Results,
        sweeper: Sweeper | None,
        keys: Keys,
        worker: Worker | None,
        app: Application,
        upstreams: Upstreams,
        webhooks: Webhooks,
        courier: Courier | None,
        sender: Sender,
        changes: Changes,
    ) -> None:
        self.keys = keys
        self.app = app
        self._database = database
        self._files = files
        self._sweeper = sweeper
        self._worker = worker
        self._upstreams = upstreams
        self._webhooks = webhooks
        self._courier = courier
        self._sender = sender
        self._changes = changes
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def build(
        cls,
        database: Database,
        settings: Settings,
        public_url: str,
        environment: Mapping[str, str] = os.environ,
    ) -> "Server":
        """Put the parts together. The caller holds the data directory's lock where the store is embedded."""
        store, clock = database.store, database.clock
        profile = Profile.of(settings, environment)
        storage = storage_of(settings.storage, settings.data_directory / "files")
        files = Results(Workshop(settings.data_directory / "work"), storage, Probe())
        files.open()
        retention = Retention.of_days(
            results=settings.keep_results, tasks=settings.keep_tasks, inputs=settings.keep_inputs
        )
        links = Links(
            public_url,
            await database.keys.secret("links", secrets.token_bytes(32)),
            clock,
            settings.link_lifetime,
        )
        callbacks = CallbackURLs(
            settings.public_url, await database.keys.secret("upstream-callbacks", secrets.token_bytes(32))
        )
        changes = Changes(database.hints)
        upstreams = Upstreams.of(settings, profile, database, environment)
        announcements = Announcements(callbacks, {upstream.name: upstream for upstream in upstreams.paid})
        registry = Registry(
            Catalogue.load(settings.card_files, upstreams.cards),
            upstreams.names,
            simulate=profile.simulate,
            cny_per_usd=settings.cny_per_usd,
            routes=settings.routes,
        )
        tasks = TaskService(store, registry, files, changes, clock)
        keys = Keys(database.keys, clock)
        worker = None
        if settings.role != "api":
            worker = Worker(
                store,
                files,
                changes,
                clock,
                Jobs(store, callbacks.make),
                WorkerSettings(
                    name=f"{os.getpid()}-{ids.ulid()}",
                    lease=settings.lease,
                    tick=settings.tick,
                    submits_at_once=settings.submits_at_once,
                    polls_at_once=settings.polls_at_once,
                    reconcile_within=round(settings.reconcile_within * 1000),
                ),
                local=upstreams.local,
                remote=upstreams.remote,
            )
        server: Server
        view = TaskView(links, retention, clock)
        delivery = Delivery(
            storage=storage, links=links, retention=retention, redirects=settings.storage_redirects
        )
        sender = Sender(profile.guard)
        courier = sweeper = None
        if settings.role != "api":
            owned = await database.keys.secret("storage", ids.ulid().encode())
            sweeper = Sweeper(database.files, files, retention, clock, owned.decode())
            if not public_url:
                log.warning("public_url is not set: the links in callbacks will lead nowhere")
            courier = Courier(
                database.callbacks,
                sender.send,
                lambda task: callback_body(task, view),
                clock,
                CourierSettings(name=f"{os.getpid()}-{ids.ulid()}", tick=settings.tick),
            )
            changes.when_ended(courier.ring)
        destination_problem = functools.partial(_destination_problem, profile.guard)
        webhooks = Webhooks(
            database.callbacks, destination_problem, clock, courier.ring if courier is not None else _nobody
        )
        operations = (
            *Generations(tasks, view, destination_problem).operations(),
            *WebhookEndpoints(webhooks).operations(),
            *Deliveries(webhooks).operations(),
            *Feed(webhooks, view).operations(),
            *Events(tasks, view).operations(),
            *Timeline(tasks).operations(),
            *Content(tasks, database.files, delivery, clock).operations(),
            *Models(registry).operations(),
            *Usage(database.money, clock).operations(),
            *UpstreamCallbacks(tasks, announcements.genuine, _receiver(announcements, clock)).operations(),
            *AdminKeys(keys).operations(),
            *HealthCheck(__version__, lambda: server.check()).operations(),
        )
        document = OpenAPI(operations, __version__, public_url)
        app = Application(
            (*operations, document.operation()),
            keys,
            startup=lambda: server.start(),
            shutdown=lambda: server.stop(),
            cross_origin=CrossOrigin(frozenset(settings.cors_origins)),
            constant_headers=transport_security(public_url),
        )
        server = cls(
            database, files, sweeper, keys, worker, app, upstreams, webhooks, courier, sender, changes
        )
        return server

    async def start(self) -> None:
        """Take over what an earlier server left, where it can only be a dead one's, and begin to work."""
        if self._worker is not None:
            await self._worker.prepare(alone=not self._database.shared)
            self._tasks.append(asyncio.create_task(self._worker.run()))
        if self._courier is not None:
            await self._courier.prepare(alone=not self._database.shared)
            self._tasks.append(asyncio.create_task(self._courier.run()))
        if self._sweeper is not None:
            self._tasks.append(asyncio.create_task(self._sweeper.run()))
        self._tasks.append(asyncio.create_task(self._sweep()))

    def stopping(self) -> None:
        """Let callers go that wait for a change: they would hold up the stop."""
        self._changes.close()

    async def stop(self) -> None:
        """Give unfinished work back and close the store."""
        if self._worker is not None:
            await self._worker.stop()
        if self._courier is not None:
            await self._courier.stop()
        await self._sender.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await close(self._upstreams.paid)
        if self._upstreams.diffusers is not None:
            await self._upstreams.diffusers.close()
        await self._database.close()
        await self._files.close()

    async def check(self) -> None:
        """Raise when the store does not answer or the background work has ended."""
        await self._database.store.ping()
        if not self._tasks or any(task.done() for task in self._tasks):
            raise RuntimeError("the background work does not run")

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_EVERY)
            try:
                before = self._database.clock() - _IDEMPOTENCY_KEPT
                forgotten = await self._database.store.sweep_idempotency(before)
                events = await self._webhooks.sweep()
            except Exception:
                log.exception("sweep failed")
            else:
                log.debug("swept idempotency keys", forgotten=forgotten, events=events)


def _diffusers(settings: Settings, environment: Mapping[str, str], fetch: FetchInput) -> Diffusers | None:
    """The operator's model folders; where videos are made, with an interpreter that can."""
    try:
        configuration = configured(environment)
        if configuration is None:
            return None
        if settings.role != "api":
            check_python(configuration.python)
        return Diffusers(configuration, fetch)
    except DiffusersMisconfigured as problem:
        raise UpstreamMisconfigured(str(problem)) from None


def _destination_problem(guard: Guard, text: str) -> str | None:
    """What is wrong with a URL that a caller names as a destination; None if nothing."""
    problem = http_url_problem(text)
    if problem is not None:
        return problem
    try:
        refusal = guard.problem(URL(text))
    except ValueError:
        refusal = "is no http(s) URL"
    return None if refusal is None else f"the URL {refusal}"


def _nobody() -> None:
    """Where no courier works, nobody is woken: those of other processes look by themselves."""


def _receiver(
    announcements: Announcements, clock: Clock
) -> Callable[[str, Call, bytes], Awaitable[Noted | None]]:
    async def receive(upstream: str, call: Call, body: bytes) -> Noted | None:
        announcement = Announcement(
            method=call.scope["method"],
            path=call.scope["path"],
            query=call.scope.get("query_string", b"").decode("latin-1"),
            headers={
                name.decode("latin-1"): value.decode("latin-1") for name, value in call.scope["headers"]
            },
            body=body,
            received_at=clock(),
        )
        return await announcements.receive(upstream, announcement)

    return receive
