"""``meshapi serve``: API, worker and built-in model in one process."""

import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import structlog
import typer

from meshapi_server import __version__
from meshapi_server.app import Profile, Server
from meshapi_server.connections.limits import Limits
from meshapi_server.connections.web_server import WebServer
from meshapi_server.database import open_database, sqlite_path
from meshapi_server.datadir import DataDirectory, InUse
from meshapi_server.files.storage import StorageFault
from meshapi_server.files.storage_url import StorageUnusable
from meshapi_server.settings import Settings, SettingsInvalid, load
from meshapi_server.store.migrate import SchemaTooNew
from meshapi_server.upstreams.catalogue import CatalogueError
from meshapi_server.upstreams.enabled import UpstreamMisconfigured, enabled_names

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. [default: 127.0.0.1]")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; 0 picks a free one. [default: 8080]")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Directory of the database and the files.")] = None,
    public_url: Annotated[
        str | None, typer.Option(help="URL under which callers reach this server; links are made of it.")
    ] = None,
    simulate: Annotated[
        bool | None,
        typer.Option(
            help="Serve models whose upstream is off by the built-in one. [default: when no key is set]"
        ),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(help="sqlite:///PATH or postgresql://… [default: a SQLite file in the data directory]"),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(help="file:///PATH, s3://…, gs://… or az://… [default: in the data directory]"),
    ] = None,
    role: Annotated[
        str | None,
        typer.Option(help="api, worker or all. Several processes need PostgreSQL. [default: all]"),
    ] = None,
    renders: Annotated[
        int | None, typer.Option(min=1, help="Videos the built-in model makes at once.")
    ] = None,
    lease: Annotated[float | None, typer.Option(help="Seconds a worker may be silent.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="Settings file. [default: meshapi.toml, if there]")
    ] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
) -> None:
    """Serve the API. With no settings: 127.0.0.1:8080, SQLite, local files, the built-in model."""
    flags = {
        "host": host,
        "port": port,
        "data": str(data) if data else None,
        "public_url": public_url,
        "database": database,
        "storage": storage,
        "role": role,
        "simulate": simulate,
        "renders": renders,
        "lease": lease,
        "log_level": log_level,
    }
    try:
        settings = load(flags, file=config)
        with _hold(settings) as directory, _listen(settings) as listener:
            _configure_logs(settings.log_level)
            _run(settings, directory, listener)
    except _USER_ERRORS as problem:
        typer.echo(f"meshapi serve: {problem}", err=True)
        raise typer.Exit(1) from None


class _PortTaken(Exception):
    """The port is in use."""


_USER_ERRORS = (
    SettingsInvalid,
    UpstreamMisconfigured,
    CatalogueError,
    InUse,
    SchemaTooNew,
    StorageFault,
    StorageUnusable,
    _PortTaken,
    OSError,
)


@contextlib.contextmanager
def _hold(settings: Settings) -> Iterator[DataDirectory]:
    """The data directory; to itself where the store is embedded, since that belongs to one process."""
    directory = DataDirectory(settings.data_directory)
    path = sqlite_path(settings.database_url)
    if path is None:
        directory.make()
        yield directory
        return
    if settings.role != "all":
        raise SettingsInvalid(
            f"role: {settings.role!r} needs a database that processes share; set --database postgresql://…"
        )
    directory.make()
    with DataDirectory(path.parent):
        yield directory


@contextlib.contextmanager
def _listen(settings: Settings) -> Iterator[socket.socket | None]:
    if settings.role == "worker":
        yield None
        return
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as fault:
            raise _PortTaken(
                f"cannot listen on {settings.host}:{settings.port} ({fault.strerror});"
                " choose another --port, or --port 0 for a free one"
            ) from None
        listener.listen(2048)
        yield listener


def _spare_collections() -> None:
    """Walk memory for cycles less often: what was loaded stays, and a request leaves next to none behind.

    With Python's own thresholds that walking was a twelfth of the CPU time of a create.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _run(settings: Settings, directory: DataDirectory, listener: socket.socket | None) -> None:
    _spare_collections()
    if listener is None:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_work(settings, directory))
        return
    port = listener.getsockname()[1]
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - compared, not bound
    local_url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    stop = _Stop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settings, directory, listener, local_url, stop))


class _Stop:
    """Told to end before the web server listens to signals, the process must not start to serve.

    The web server catches signals itself, drains, and raises them again; by then all is done, and done well.
    """

    def __init__(self) -> None:
        self.told = False
        self.web: WebServer | None = None

    def __call__(self, *_: object) -> None:
        self.told = True
        if self.web is not None:
            self.web.should_exit = True


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _work(settings: Settings, directory: DataDirectory) -> None:
    """The role ``worker``: no port, no callers."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    database = await open_database(settings.database_url)
    server = await Server.build(database, settings, settings.public_url or "")
    await server.start()
    _say(f"Mesh API worker {__version__}  (data: {directory.path})")
    await stop.wait()
    await server.stop()


async def _serve(
    settings: Settings, directory: DataDirectory, listener: socket.socket, local_url: str, stop: _Stop
) -> None:
    public_url = settings.public_url or local_url
    database = await open_database(settings.database_url)
    server = await Server.build(database, settings, public_url)
    await _announce(settings, directory, server, local_url)
    limits = Limits(
        connections=settings.connections,
        per_address=max(16, settings.connections // 4),
        head_timeout=settings.head_timeout,
        stall_timeout=settings.stall_timeout,
    )
    stop.web = web = WebServer(server.app, limits, server.stopping)
    if stop.told:
        await database.close()
        return
    await web.serve(sockets=[listener])


async def _announce(settings: Settings, directory: DataDirectory, server: Server, local_url: str) -> None:
    """Say where the server is, and on its first start show a development key, once."""
    profile = Profile.of(settings, os.environ)
    _say(f"Mesh API server {__version__} on {local_url}  (data: {directory.path})")
    if profile.simulate:
        _say("Simulation is on: models whose upstream is off are rendered by mesh/diorama-1, at no cost.")
    else:
        _say(f"Upstreams configured: {', '.join(enabled_names(os.environ)) or 'none'}")
    first = await server.keys.create_first("development")
    if first is None:
        _refresh_development(directory, local_url)
        return
    secret, _ = first
    _say(f"Your development key, shown once: {secret}")
    if settings.host in _LOOPBACK:
        _write_private(directory.development, json.dumps({"base_url": local_url, "api_key": secret}) + "\n")
        _say(f"The meshapi command finds it in {directory.development}")


def _refresh_development(directory: DataDirectory, local_url: str) -> None:
    try:
        known = json.loads(directory.development.read_text("utf-8"))
        api_key = known["api_key"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    _write_private(directory.development, json.dumps({"base_url": local_url, "api_key": api_key}) + "\n")


def _write_private(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    fresh.rename(path)


def _say(line: str) -> None:
    typer.echo(line)
    sys.stdout.flush()


def _configure_logs(level: str) -> None:
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr)
    pretty = sys.stderr.isatty()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(number),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
