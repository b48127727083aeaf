"""The file of the embedded store: private, and without secrets."""

from pathlib import Path

import pytest

from meshapi_server.accounts.keys import Keys
from meshapi_server.store.sqlite import SqliteStore
from meshapi_server.store.stored_keys import StoredKeys

from ..samples import HandClock

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


async def test_the_database_is_readable_by_its_owner_only(store: SqliteStore, tmp_path: Path) -> None:
    await StoredKeys(store).secret("links", b"x")
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("meshapi.db*")}
    assert modes == dict.fromkeys(("meshapi.db", "meshapi.db-wal", "meshapi.db-shm"), 0o600)


async def test_the_file_never_holds_a_key(store: SqliteStore, tmp_path: Path, clock: HandClock) -> None:
    secret, key = await Keys(StoredKeys(store), clock).create("ci")
    await store.write(lambda database: database.execute("select 1"))
    files = b"".join(path.read_bytes() for path in tmp_path.glob("meshapi.db*"))
    assert key.id.encode() in files
    assert secret.encode() not in files
    assert secret[4:].encode() not in files
