"""Keys, how often they ask, and the server's own secrets in the store."""

import asyncio

from meshapi_server.accounts.key import Key
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


async def rooms(another: Another, clock: HandClock) -> tuple[Keys, Keys]:
    """The keys as two processes on one database see them."""
    return Keys(StoredKeys(await another()), clock), Keys(StoredKeys(await another()), clock)


async def admitted(room: Keys, key: Key) -> bool:
    admission = await room.admit(key)
    assert admission is not None
    return admission.retry_after is None


async def test_two_processes_let_exactly_the_limit_through(another: Another, clock: HandClock) -> None:
    one, two = await rooms(another, clock)
    _, key = await one.create("ci", requests_per_minute=37)
    answers = await asyncio.gather(*(admitted(room, key) for _ in range(60) for room in (one, two)))
    assert (answers.count(True), answers.count(False)) == (37, 83)
    clock.now += 60_500
    answers = await asyncio.gather(*(admitted(room, key) for _ in range(30) for room in (one, two)))
    assert answers.count(True) == 37


async def test_the_narrowest_of_several_limits_decides_for_each_key_alone(
    another: Another, clock: HandClock
) -> None:
    one, two = await rooms(another, clock)
    _, day = await one.create("day", requests_per_minute=20, requests_per_day=7)
    _, minute = await one.create("minute", requests_per_minute=5, requests_per_day=1000)
    wishes = [(room, key) for _ in range(10) for room in (one, two) for key in (day, minute)]
    answers = await asyncio.gather(*(admitted(room, key) for room, key in wishes))
    let_through = [key.name for (_, key), answer in zip(wishes, answers, strict=True) if answer]
    assert (let_through.count("day"), let_through.count("minute")) == (7, 5)


async def test_a_limit_that_is_set_later_counts_from_then_on(another: Another, clock: HandClock) -> None:
    one, two = await rooms(another, clock)
    _, key = await one.create("ci")
    assert await one.admit(key) is None
    limited = await two.update(key.id, requests_per_day=2)
    assert limited is not None
    assert [await admitted(one, limited) for _ in range(3)] == [True, True, False]


async def test_a_change_holds_at_once_for_every_process(another: Another, clock: HandClock) -> None:
    one, two = await rooms(another, clock)
    secret, key = await one.create("ci")
    assert await two.check(secret) == key
    suspended = await one.suspend(key.id)
    assert await two.check(secret) == suspended
    await two.resume(key.id)
    assert await one.check(secret) == key
    made = await two.rotate(key.id, grace=0)
    assert made is not None
    assert await one.check(secret) is None
    assert await one.check(made[0]) == made[1]
    await one.revoke(key.id)
    assert await two.check(made[0]) is None


async def test_changes_that_come_together_are_all_kept(another: Another, clock: HandClock) -> None:
    one, two = await rooms(another, clock)
    _, key = await one.create("ci")
    await asyncio.gather(
        one.update(key.id, requests_per_minute=3),
        two.update(key.id, requests_per_day=4),
        one.update(key.id, budget_total=5),
        two.update(key.id, models=("a/*",)),
    )
    kept = await one.get(key.id)
    assert kept is not None
    assert (kept.requests_per_minute, kept.requests_per_day) == (3, 4)
    assert (kept.budget_total, kept.models) == (5, ("a/*",))


async def test_of_processes_that_start_together_on_an_empty_database_one_makes_the_first_key(
    another: Another, clock: HandClock
) -> None:
    one, two = await rooms(another, clock)
    made = await asyncio.gather(*(room.create_first("development") for _ in range(3) for room in (one, two)))
    assert sum(each is not None for each in made) == 1
    assert len(await two.all()) == 1
