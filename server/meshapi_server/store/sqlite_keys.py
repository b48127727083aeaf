"""Keys and the server's own secrets on the embedded store."""

import sqlite3
from typing import Any

from meshapi_server.accounts.keys import Key

from .sqlite import SqliteStore
from .statements import KEY_COLUMNS, load

SQL = load()


class SqliteKeys:
    """Implements KeyStore (accounts/keys.py) and the signing secret's place."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    async def insert_key(self, key: Key, digest: bytes) -> None:
        """Store a key under the hash of its secret."""
        values = {
            "id": key.id,
            "owner": key.owner,
            "name": key.name,
            "hash": digest,
            "last_four": key.last_four,
            "created_at": key.created_at,
            "concurrency": key.concurrency,
        }

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(SQL["insert_key"], values)
            if key.concurrency is not None:
                pool = {"name": key.lane, "capacity": key.concurrency, "interval": 0, "burst": 0}
                connection.execute(SQL["set_pool"], pool)

        await self._store.write(work)

    async def find_key(self, digest: bytes) -> Key | None:
        """The key with this hash."""
        rows = self._store.read(SQL["find_key"], {"hash": digest})
        return _key(rows[0]) if rows else None

    async def list_keys(self) -> list[Key]:
        """Every key, oldest first."""
        return [_key(row) for row in self._store.read(SQL["list_keys"], {})]

    async def revoke_key(self, key_id: str, now: int) -> Key | None:
        """Revoke a key for good."""
        await self._store.write(
            lambda connection: connection.execute(SQL["revoke_key"], {"id": key_id, "now": now})
        )
        rows = self._store.read(SQL["get_key"], {"id": key_id})
        return _key(rows[0]) if rows else None

    async def secret(self, name: str, fresh: bytes) -> bytes:
        """The server's secret of this name; ``fresh`` becomes it when there is none yet."""
        values = {"name": name, "value": fresh}
        await self._store.write(lambda connection: connection.execute(SQL["insert_secret"], values))
        value: bytes = self._store.read(SQL["get_secret"], {"name": name})[0][0]
        return value


def _key(row: Any) -> Key:
    return Key(**dict(zip(KEY_COLUMNS, row, strict=True)))
