"""Keys, how often they ask, and the server's own secrets, in either dialect."""

from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct

from meshapi_server.accounts.key import Key
from meshapi_server.accounts.keys import Change, Found
from meshapi_server.accounts.windows import Counts, Limit, Verdict, count, decode, encode
from meshapi_server.tasks.limits import UNLIMITED, Pool

from .coalescing import Coalescer
from .key_rows import key_row, read_key
from .plan import Plan, Read, Relax, Row, Write, read, write
from .planned import PlannedStore
from .rows import pool_row
from .statements import KEY_COLUMNS


class Call(Struct, frozen=True, kw_only=True):
    """One request of a key that is limited."""

    key_id: str
    limits: tuple[Limit, ...]
    now: int


class StoredKeys:
    """Implements KeyStore (accounts/keys.py) and the signing secrets' place."""

    def __init__(self, store: PlannedStore) -> None:
        self._store = store
        self._counting = Coalescer(self._count)

    async def insert_key(self, key: Key, digest: bytes) -> None:
        """Store a key under the hash of its secret, and what its limits are counted in."""
        await self._store.change(lambda _: _insert(key, digest))

    async def insert_first_key(self, key: Key, digest: bytes) -> bool:
        """Store a key if it is the first (see the port)."""
        return await self._store.change(lambda _: _insert_first(key, digest))

    async def find_key(self, digest: bytes) -> Found | None:
        """The key with this hash."""
        rows = await self._store.fetch("find_key", hash=digest)
        return _found(tuple(rows[0])) if rows else None

    async def get_key(self, key_id: str) -> Key | None:
        """One key."""
        rows = await self._store.fetch("get_key", id=key_id)
        return read_key(rows[0]) if rows else None

    async def list_keys(self, owner: str | None, after: str, limit: int) -> Sequence[Key]:
        """Keys behind ``after`` (see the port)."""
        rows = await self._store.scan(lambda: read("list_keys", owner=owner or "", after=after, limit=limit))
        return [read_key(row) for row in rows]

    async def change_key(self, key_id: str, change: Change) -> Key | None:
        """Change a key (see the port)."""
        return await self._store.change(lambda _: _change(key_id, change))

    async def rotate_key(self, key_id: str, change: Change, digest: bytes, old_until: int) -> Key | None:
        """Change a key and the hash of its secret (see the port)."""
        return await self._store.change(lambda _: _rotate(key_id, change, digest, old_until))

    async def count_request(self, key_id: str, limits: Sequence[Limit], now: int) -> Verdict:
        """Decide on a request and count it (see the port); those that come together share a transaction."""
        return await self._counting.submit(Call(key_id=key_id, limits=tuple(limits), now=now))

    async def _count(self, calls: Sequence[Call]) -> Sequence[Verdict]:
        return await self._store.change(lambda _: _count(calls), "count")

    async def secret(self, name: str, fresh: bytes) -> bytes:
        """The server's secret of this name; ``fresh`` becomes it when there is none yet."""
        await self._store.change(lambda _: write("insert_secret", {"name": name, "value": fresh}))
        rows = await self._store.fetch("get_secret", name=name)
        value: bytes = rows[0][0]
        return value


def _insert(key: Key, digest: bytes) -> Plan[None]:
    yield Write("insert_key", [{**key_row(key), "hash": digest}])
    yield from _count_by(key)


def _insert_first(key: Key, digest: bytes) -> Plan[bool]:
    if not (yield from read("claim_first_key", value=b"")):
        return False
    if (yield from read("any_key")):
        return False
    yield from _insert(key, digest)
    return True


def _count_by(key: Key) -> Plan[None]:
    """Make what the key's limits are counted in. A pool outlives its limit: tasks may still be in it."""
    windows = [{"key_id": key.id, "seconds": limit.seconds} for limit in key.request_limits]
    if windows:
        yield Write("open_window", windows)
    if key.lane:
        yield Write("set_pool", [pool_row(Pool(name=key.lane, capacity=key.concurrency or UNLIMITED))])


def _change(key_id: str, change: Change) -> Plan[Key | None]:
    rows = yield Read("get_key", {"id": key_id}, lock=True)
    if not rows:
        return None
    before = read_key(rows[0])
    after = change(before)
    if after == before:
        return before
    yield Write("save_key", [key_row(after)])
    yield from _count_by(after)
    if before.lane and not after.lane:
        yield Write("set_pool", [pool_row(Pool(name=before.lane))])
    if after.lane and not before.lane:
        yield Write("enter_lane", [{"lane": after.lane, "key_id": key_id}])
        yield Write("recount_lane", [{"lane": after.lane}])
    return after


def _rotate(key_id: str, change: Change, digest: bytes, old_until: int) -> Plan[Key | None]:
    key = yield from _change(key_id, change)
    if key is not None:
        yield Write("replace_secret", [{"id": key_id, "hash": digest, "old_until": old_until}])
    return key


def _count(calls: Sequence[Call]) -> Plan[list[Verdict]]:
    known = yield from _windows(calls)
    before = {key_id: dict(windows) for key_id, windows in known.items()}
    verdicts: list[Verdict] = []
    for call in calls:
        verdict, known[call.key_id] = count(call.limits, known[call.key_id], call.now)
        verdicts.append(verdict)
    changed = [
        {"key_id": key_id, "seconds": seconds, "counts": encode(counts)}
        for key_id, windows in sorted(known.items())
        for seconds, counts in sorted(windows.items())
        if counts is not before[key_id].get(seconds)
    ]
    if changed:
        yield Write("save_window", changed)
    yield Relax()  # what a machine that fails forgets is a moment's calls
    return verdicts


def _windows(calls: Sequence[Call]) -> Plan[dict[str, dict[int, Counts]]]:
    """The counts of the callers' keys, held until the commit."""
    wanted = {(call.key_id, limit.seconds) for call in calls for limit in call.limits}
    values = {"ids": sorted({call.key_id for call in calls})}
    rows = yield Read("get_windows", values, lock=True)
    missing = sorted(wanted - {(key_id, seconds) for key_id, seconds, _ in rows})
    if missing:  # of a limit that was set by a server that knew nothing of them
        yield Write("open_window", [{"key_id": key_id, "seconds": seconds} for key_id, seconds in missing])
        rows = yield Read("get_windows", values, lock=True)
    found: dict[str, dict[int, Counts]] = {key_id: {} for key_id in values["ids"]}
    for key_id, seconds, counts in rows:
        found[key_id][seconds] = decode(counts)
    return found


@lru_cache(maxsize=512)
def _found(row: Row) -> Found:
    # Asked at every request, mostly of the same few keys; equal rows are the same key.
    digest, old_until = row[len(KEY_COLUMNS) :]
    return Found(key=read_key(row), digest=digest, old_until=old_until)
