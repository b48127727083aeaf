"""Keys and the server's own secrets in the store."""

from meshapi_server.accounts.keys import Keys
from meshapi_server.store.planned import PlannedStore
from meshapi_server.store.stored_keys import StoredKeys

from ..samples import NOW, HandClock
from .conftest import Another, Sql


async def test_a_secret_is_made_once_and_kept(store: PlannedStore, another: Another) -> None:
    assert await StoredKeys(store).secret("links", b"first") == b"first"
    assert await StoredKeys(store).secret("links", b"second") == b"first"
    assert await StoredKeys(await another()).secret("links", b"third") == b"first"


async def test_a_key_is_found_by_its_secret_and_listed(store: PlannedStore, clock: HandClock) -> None:
    keys = Keys(StoredKeys(store), clock)
    secret, first = await keys.create("ci")
    clock.now += 1
    _, second = await keys.create("other", owner=first.owner, concurrency=3)
    assert await keys.check(secret) == first
    assert await keys.check(secret[:-1] + ("0" if secret[-1] != "0" else "1")) is None
    assert await keys.all() == [first, second]


async def test_the_limit_of_a_key_becomes_a_pool(store: PlannedStore, clock: HandClock, sql: Sql) -> None:
    _, key = await Keys(StoredKeys(store), clock).create("ci", concurrency=3)
    assert await sql("select name, capacity, used from pool") == [(key.lane, 3, 0)]


async def test_no_table_holds_a_key(store: PlannedStore, clock: HandClock, sql: Sql) -> None:
    secret, key = await Keys(StoredKeys(store), clock).create("ci")
    ((row,),) = [await sql("select * from api_key")]
    assert key.id in row
    assert secret not in str(row)
    assert secret.encode() not in row


async def test_revoking_twice_keeps_the_first_time(store: PlannedStore, clock: HandClock) -> None:
    keys = Keys(StoredKeys(store), clock)
    _, key = await keys.create("ci")
    clock.now = NOW + 5
    first = await keys.revoke(key.id)
    clock.now = NOW + 9
    assert await keys.revoke(key.id) == first
    assert first is not None
    assert first.revoked_at == NOW + 5
    assert await keys.revoke("key_none") is None
