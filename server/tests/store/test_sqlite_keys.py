"""Keys and the server's own secrets in the store; and the file they lie in."""

from pathlib import Path

from meshapi_server.accounts.keys import Keys
from meshapi_server.store.sqlite import SqliteStore
from meshapi_server.store.sqlite_keys import SqliteKeys

from ..samples import NOW, HandClock


async def test_a_secret_is_made_once_and_kept(store: SqliteStore, tmp_path: Path, clock: HandClock) -> None:
    assert await SqliteKeys(store).secret("links", b"first") == b"first"
    assert await SqliteKeys(store).secret("links", b"second") == b"first"
    other = SqliteStore(tmp_path / "meshapi.db", clock)
    await other.open()
    assert await SqliteKeys(other).secret("links", b"third") == b"first"
    await other.close()


async def test_the_database_is_readable_by_its_owner_only(store: SqliteStore, tmp_path: Path) -> None:
    await SqliteKeys(store).secret("links", b"x")
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("meshapi.db*")}
    assert modes == dict.fromkeys(("meshapi.db", "meshapi.db-wal", "meshapi.db-shm"), 0o600)


async def test_the_file_never_holds_a_key(store: SqliteStore, tmp_path: Path, clock: HandClock) -> None:
    secret, key = await Keys(SqliteKeys(store), clock).create("ci")
    await store.write(lambda database: database.execute("select 1"))
    files = b"".join(path.read_bytes() for path in tmp_path.glob("meshapi.db*"))
    assert key.id.encode() in files
    assert secret.encode() not in files
    assert secret[4:].encode() not in files


async def test_revoking_twice_keeps_the_first_time(store: SqliteStore, clock: HandClock) -> None:
    keys = Keys(SqliteKeys(store), clock)
    _, key = await keys.create("ci")
    clock.now = NOW + 5
    first = await keys.revoke(key.id)
    clock.now = NOW + 9
    assert await keys.revoke(key.id) == first
    assert first is not None
    assert first.revoked_at == NOW + 5
    assert await keys.revoke("key_none") is None
