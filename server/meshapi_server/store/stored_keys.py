"""Keys and the server's own secrets, in either dialect."""

from typing import Any

from meshapi_server.accounts.keys import Key
from meshapi_server.tasks.limits import Pool

from .plan import Plan, Write, read, write
from .planned import PlannedStore
from .rows import pool_row
from .statements import KEY_COLUMNS


class StoredKeys:
    """Implements KeyStore (accounts/keys.py) and the signing secret's place."""

    def __init__(self, store: PlannedStore) -> None:
        self._store = store

    async def insert_key(self, key: Key, digest: bytes) -> None:
        """Store a key under the hash of its secret, and the pool of its own limit if it has one."""
        await self._store.change(lambda _: _insert(key, digest))

    async def find_key(self, digest: bytes) -> Key | None:
        """The key with this hash."""
        rows = await self._store.fetch("find_key", hash=digest)
        return _key(rows[0]) if rows else None

    async def list_keys(self) -> list[Key]:
        """Every key, oldest first."""
        return [_key(row) for row in await self._store.scan(lambda: read("list_keys"))]

    async def revoke_key(self, key_id: str, now: int) -> Key | None:
        """Revoke a key for good."""
        return await self._store.change(lambda _: _revoke(key_id, now))

    async def secret(self, name: str, fresh: bytes) -> bytes:
        """The server's secret of this name; ``fresh`` becomes it when there is none yet."""
        await self._store.change(lambda _: write("insert_secret", {"name": name, "value": fresh}))
        rows = await self._store.fetch("get_secret", name=name)
        value: bytes = rows[0][0]
        return value


def _insert(key: Key, digest: bytes) -> Plan[None]:
    values = {
        "id": key.id,
        "owner": key.owner,
        "name": key.name,
        "hash": digest,
        "last_four": key.last_four,
        "created_at": key.created_at,
        "concurrency": key.concurrency,
    }
    yield Write("insert_key", [values])
    if key.concurrency is not None:
        yield Write("set_pool", [pool_row(Pool(name=key.lane, capacity=key.concurrency))])


def _revoke(key_id: str, now: int) -> Plan[Key | None]:
    yield Write("revoke_key", [{"id": key_id, "now": now}])
    rows = yield from read("get_key", id=key_id)
    return _key(rows[0]) if rows else None


def _key(row: Any) -> Key:
    return Key(**dict(zip(KEY_COLUMNS, row, strict=True)))
