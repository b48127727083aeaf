"""Opening the store that a URL names: ``sqlite:///path`` (embedded) or ``postgresql://…`` (shared)."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from meshapi_server.accounts.invoices import ChargeStore
from meshapi_server.accounts.keys import KeyStore
from meshapi_server.accounts.usage import UsageStore
from meshapi_server.callbacks.ports import CallbackStore
from meshapi_server.files.ports import FileRecords
from meshapi_server.settings import SettingsInvalid
from meshapi_server.store.database_url import shown
from meshapi_server.store.postgres import PostgresStore
from meshapi_server.store.sqlite import SqliteStore
from meshapi_server.store.stored_callbacks import StoredCallbacks
from meshapi_server.store.stored_files import StoredFiles
from meshapi_server.store.stored_keys import StoredKeys
from meshapi_server.store.stored_money import StoredMoney
from meshapi_server.tasks.clock import Clock, system_clock
from meshapi_server.tasks.ports import Hints, Store


class KeyRoom(KeyStore, Protocol):
    """Keys, how often they ask, and the server's own secrets."""

    async def secret(self, name: str, fresh: bytes) -> bytes:
        """The server's secret of this name; ``fresh`` becomes it when there is none yet."""
        ...


class MoneyRoom(UsageStore, ChargeStore, Protocol):
    """What the ledger knows."""


class Database(Struct, frozen=True, kw_only=True):
    """An open database. ``shared``: other processes may work on it at the same time."""

    store: Store
    keys: KeyRoom
    money: MoneyRoom
    callbacks: CallbackStore
    files: FileRecords
    clock: Clock
    hints: Hints | None
    shared: bool
    close: Callable[[], Awaitable[None]]


def sqlite_path(url: str) -> Path | None:
    """The file of a ``sqlite:///`` URL; None for a PostgreSQL URL. Raises SettingsInvalid for any other.

    ``sqlite:///a.db`` is relative to the working directory, ``sqlite:////var/a.db`` absolute.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1:
        return Path(unquote(parts.path[1:]))
    if parts.scheme in {"postgresql", "postgres"}:
        return None
    raise SettingsInvalid(
        f"database: {shown(url)!r} is no database URL; use sqlite:///PATH or postgresql://USER@HOST/NAME"
    )


async def open_database(url: str) -> Database:
    """Open it and bring its schema up to date. Raises SettingsInvalid, SchemaTooNew, OSError."""
    path = sqlite_path(url)
    if path is None:
        shared = PostgresStore(url)
        await shared.open()
        return Database(
            store=shared,
            keys=StoredKeys(shared),
            money=StoredMoney(shared),
            callbacks=StoredCallbacks(shared),
            files=StoredFiles(shared),
            clock=shared.clock,
            hints=shared.hints,
            shared=True,
            close=shared.close,
        )
    store = SqliteStore(path, system_clock)
    await store.open()
    return Database(
        store=store,
        keys=StoredKeys(store),
        money=StoredMoney(store),
        callbacks=StoredCallbacks(store),
        files=StoredFiles(store),
        clock=system_clock,
        hints=None,
        shared=False,
        close=store.close,
    )
