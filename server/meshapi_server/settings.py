"""The server's settings: flag, then environment, then ``meshapi.toml``, then default."""

import os
import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from meshapi_server.destinations.guard import USUAL_PORTS
from meshapi_server.store.database_url import shown
from meshapi_server.upstreams.routing import RouteSetting

_ORIGIN = re.compile(r"^(\*|https?://[^/?#@*\s]+)$")
ROLES = ("all", "api", "worker")


class SettingsInvalid(ValueError):
    """A setting cannot be used; the message names it, its value and what would be accepted."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set. ``simulate`` None means: while no upstream is on.

    ``lease``, ``tick`` and ``reconcile_within`` (how long an upstream is searched for a submission whose
    answer was lost) are seconds; ``renders`` is how many videos the built-in model makes at once;
    ``cny_per_usd`` converts prices of upstreams that are paid in Chinese yuan;
    ``routes`` maps public model ids to the models behind them; ``cards`` is a folder of further model cards,
    for engines of the operator's own; ``ports`` may be called where a caller names the destination;
    ``storage`` is where results are kept (a URL; empty: in the data directory), and with
    ``storage_redirects`` callers are sent there; results, ended tasks and their inputs are kept for
    ``keep_results``, ``keep_tasks`` and ``keep_inputs`` days after the end, 0 is for ever;
    ``submits_at_once`` and ``polls_at_once`` bound what one worker asks upstreams at the same time.
    ``connections``, ``head_timeout`` and ``stall_timeout`` (seconds) bound callers (connections/limits.py);
    pages of the origins in ``cors_origins`` may call the API from a browser.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    data: str = ""
    database: str = ""
    role: str = "all"
    public_url: str | None = None
    simulate: bool | None = None
    renders: int = 0
    render_threads: int = 0
    lease: float = 30.0
    tick: float = 0.25
    submits_at_once: int = 16
    polls_at_once: int = 500
    reconcile_within: float = 60.0
    link_lifetime: int = 24 * 3600
    storage: str = ""
    storage_redirects: bool = False
    keep_results: float = 0.0
    keep_tasks: float = 0.0
    keep_inputs: float = 7.0
    private_sources: bool | None = None
    ports: tuple[int, ...] = tuple(sorted(USUAL_PORTS))
    cards: str = ""
    routes: dict[str, RouteSetting] = {}
    cny_per_usd: Decimal | None = None
    connections: int = 4096
    head_timeout: float = 15.0
    stall_timeout: float = 60.0
    cors_origins: tuple[str, ...] = ()
    log_level: str = "info"

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise SettingsInvalid(f"port: {self.port} is not from 0 to 65535")
        if self.lease < 1:
            raise SettingsInvalid(f"lease: {self.lease} s is too short; use 1 or more")
        if self.link_lifetime < 60:
            raise SettingsInvalid(f"link_lifetime: {self.link_lifetime} s is too short; use 60 or more")
        for name in ("keep_results", "keep_tasks", "keep_inputs"):
            if not 0 <= getattr(self, name) < 36_500:
                raise SettingsInvalid(f"{name}: {getattr(self, name)} is no number of days; 0 is for ever")
        if self.log_level not in {"debug", "info", "warning", "error"}:
            raise SettingsInvalid(f"log_level: {self.log_level!r}; use debug, info, warning or error")

        if self.connections < 16:
            raise SettingsInvalid(f"connections: {self.connections} is too few; use 16 or more")
        if min(self.head_timeout, self.stall_timeout) <= 0:
            raise SettingsInvalid("head_timeout and stall_timeout must be more than 0 s")
        for origin in self.cors_origins:
            if not _ORIGIN.match(origin):
                raise SettingsInvalid(
                    f"cors_origins: {origin!r} is no origin; use https://app.example, or * for any"
                )
        if self.role not in ROLES:
            raise SettingsInvalid(f"role: {self.role!r}; use {', '.join(ROLES)}")
        if min(self.submits_at_once, self.polls_at_once) < 1:
            raise SettingsInvalid("submits_at_once and polls_at_once must be 1 or more")
        if self.cny_per_usd is not None and not (self.cny_per_usd.is_finite() and self.cny_per_usd > 0):
            raise SettingsInvalid(
                f"cny_per_usd: {self.cny_per_usd} is no exchange rate; use 7.1, for example"
            )
        if self.reconcile_within < 1:
            raise SettingsInvalid(f"reconcile_within: {self.reconcile_within} s is too short; use 1 or more")

    def __repr__(self) -> str:
        """Every setting, the database without its password."""
        told = {name: getattr(self, name) for name in self.__struct_fields__}
        told["database"] = shown(self.database)
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in told.items())})"

    @property
    def database_url(self) -> str:
        """The database; a SQLite file in the data directory unless it is set."""
        return self.database or f"sqlite:///{self.data_directory / 'meshapi.db'}"

    @property
    def card_files(self) -> tuple[Path, ...]:
        """The operator's own card files. Raises SettingsInvalid when the folder is not there."""
        if not self.cards:
            return ()
        folder = Path(self.cards).expanduser()
        if not folder.is_dir():
            raise SettingsInvalid(f"cards: there is no folder {self.cards!r}")
        return tuple(sorted(folder.glob("*.toml")))

    @property
    def data_directory(self) -> Path:
        """Where the database and the files live."""
        return Path(self.data).expanduser().absolute()


_VARIABLES = {
    "host": "MESHAPI_HOST",
    "port": "MESHAPI_PORT",
    "data": "MESHAPI_DATA_DIR",
    "database": "MESHAPI_DATABASE_URL",
    "role": "MESHAPI_ROLE",
    "public_url": "MESHAPI_PUBLIC_URL",
    "simulate": "MESHAPI_SIMULATE",
    "renders": "MESHAPI_RENDERS",
    "render_threads": "MESHAPI_RENDER_THREADS",
    "lease": "MESHAPI_LEASE",
    "tick": "MESHAPI_TICK",
    "submits_at_once": "MESHAPI_SUBMITS_AT_ONCE",
    "polls_at_once": "MESHAPI_POLLS_AT_ONCE",
    "reconcile_within": "MESHAPI_RECONCILE_WITHIN",
    "link_lifetime": "MESHAPI_LINK_LIFETIME",
    "storage": "MESHAPI_STORAGE_URL",
    "storage_redirects": "MESHAPI_STORAGE_REDIRECTS",
    "keep_results": "MESHAPI_KEEP_RESULTS",
    "keep_tasks": "MESHAPI_KEEP_TASKS",
    "keep_inputs": "MESHAPI_KEEP_INPUTS",
    "private_sources": "MESHAPI_PRIVATE_SOURCES",
    "ports": "MESHAPI_PORTS",
    "cards": "MESHAPI_CARDS",
    "cny_per_usd": "MESHAPI_CNY_PER_USD",
    "connections": "MESHAPI_CONNECTIONS",
    "head_timeout": "MESHAPI_HEAD_TIMEOUT",
    "stall_timeout": "MESHAPI_STALL_TIMEOUT",
    "cors_origins": "MESHAPI_CORS_ORIGINS",
    "log_level": "MESHAPI_LOG_LEVEL",
}


def default_data_directory(environment: Mapping[str, str]) -> str:
    """``$XDG_DATA_HOME/meshapi``, else ``~/.local/share/meshapi`` (XDG Base Directory Specification)."""
    base = environment.get("XDG_DATA_HOME") or "~/.local/share"
    return f"{base}/meshapi"


def load(
    flags: Mapping[str, Any],
    environment: Mapping[str, str] = os.environ,
    file: Path | None = None,
) -> Settings:
    """The settings in force. ``flags`` holds only those that were given. Raises SettingsInvalid."""
    values: dict[str, Any] = {"data": default_data_directory(environment)}
    values |= _from_file(file or Path("meshapi.toml"), required=file is not None)
    for name, variable in _VARIABLES.items():
        if environment.get(variable):
            values[name] = environment[variable]
    for name in ("ports", "cors_origins"):
        if isinstance(values.get(name), str):
            values[name] = [part.strip() for part in values[name].split(",")]
    values |= {name: value for name, value in flags.items() if value is not None}
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as problem:
        raise SettingsInvalid(str(problem).replace(" - at `$.", " in setting `")) from None


def _from_file(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        if required:
            raise SettingsInvalid(f"there is no settings file {path}") from None
        return {}
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise SettingsInvalid(f"{path} is no TOML: {problem}") from None
    section = parsed.get("server", {})
    if not isinstance(section, dict):
        raise SettingsInvalid(f"{path}: [server] must be a table")
    strange = sorted(parsed.keys() - {"server", "routes"})
    if strange:
        raise SettingsInvalid(f"{path}: [{strange[0]}] is not known; there are [server] and [routes]")
    return {**section, "routes": parsed.get("routes", {})}
