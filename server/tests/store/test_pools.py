"""Pools: slots of upstreams and of keys, rates, pauses; exact whoever claims."""

import asyncio

from hypothesis import given
from hypothesis import strategies as some

from meshapi_server.store.claiming import Candidate, within
from meshapi_server.store.planned import PlannedStore
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.limits import Pool, Rate
from meshapi_server.tasks.states import Event
from meshapi_server.tasks.task import Claim

from .. import samples
from ..samples import LOCAL, NOW, REMOTE, HandClock
from .conftest import Accept, Another, Sql, Take

KEY = "key:key_1"


def names(claims: list[Claim]) -> list[str]:
    return [claim.task.id for claim in claims]


async def test_a_key_takes_no_more_slots_than_its_own_and_leaves_the_rest_to_others(
    store: PlannedStore, accept: Accept, take: Take
) -> None:
    await store.set_pools([*samples.pools(REMOTE, 10), Pool(name=KEY, capacity=2)])
    mine = [await accept(lane=KEY) for _ in range(5)]
    other = await accept()
    assert names(await take()) == [mine[0].id, mine[1].id, other.id]
    assert await take() == []


async def test_a_key_has_one_limit_over_all_upstreams(
    store: PlannedStore, accept: Accept, clock: HandClock
) -> None:
    await store.set_pools([*samples.pools(REMOTE, 10), *samples.pools(LOCAL, 10), Pool(name=KEY, capacity=1)])
    first = await accept(lane=KEY)
    await accept(lane=KEY, upstream=LOCAL)
    taken = await store.claim(
        Event.CLAIM_SUBMIT,
        upstreams=(LOCAL, REMOTE),
        worker="w",
        now=clock(),
        lease_until=clock() + 1,
        limit=10,
    )
    assert names(taken) == [first.id]


async def test_slots_of_a_key_are_counted_while_its_tasks_sleep_and_freed_when_they_end(
    store: PlannedStore, accept: Accept, take: Take, sql: Sql
) -> None:
    await store.set_pools([*samples.pools(REMOTE, 10), Pool(name=KEY, capacity=1)])
    await accept(lane=KEY)
    waiting = await accept(lane=KEY)
    (claim,) = await take()
    accepted = Step(event=Event.ACCEPTED, attempt=claim.schedule.attempt, upstream_ref="up", due=NOW + 60_000)
    await store.step(claim.task.id, accepted, NOW)
    assert await take() == []
    await store.step(claim.task.id, Step(event=Event.FAILED), NOW)
    assert names(await take()) == [waiting.id]
    assert await sql("select used from pool where name = :name", name=KEY) == [(1,)]


async def test_a_task_is_placed_by_priority_across_keys(
    store: PlannedStore, accept: Accept, take: Take
) -> None:
    await store.set_pools([*samples.pools(REMOTE, 2), Pool(name=KEY, capacity=5)])
    await accept(lane=KEY)
    urgent = await accept(lane=KEY, spec=samples.spec(priority=5))
    more_urgent = await accept(spec=samples.spec(priority=7))
    assert names(await take()) == [more_urgent.id, urgent.id]


async def test_a_rate_holds_in_every_window_over_several_stores(
    store: PlannedStore, accept: Accept, another: Another, take: Take, clock: HandClock
) -> None:
    rate = Rate(count=10, seconds=2)
    await store.set_pools([Pool(name=f"upstream:{REMOTE}", capacity=1000, rate=rate)])
    for _ in range(60):
        await accept()
    stores = [store, await another(), await another()]
    calls: list[int] = []
    for _ in range(60):
        taken = await asyncio.gather(*(take(on=each, limit=3) for each in stores))
        calls += [clock()] * sum(map(len, taken))
        clock.now += 100
    assert len(calls) > 15
    for start in range(NOW, clock(), 50):
        assert sum(start <= call < start + 2000 for call in calls) <= rate.count


async def test_looks_go_by_a_rate_of_their_own(
    store: PlannedStore, accept: Accept, take: Take, clock: HandClock
) -> None:
    polls = Pool(name=f"polls:{REMOTE}", rate=Rate(count=1, seconds=1))
    await store.set_pools([*samples.pools(REMOTE, 10), polls])
    for _ in range(3):
        await accept()
    for claim in await take():
        accepted = Step(event=Event.ACCEPTED, attempt=claim.schedule.attempt, upstream_ref="up", due=NOW)
        await store.step(claim.task.id, accepted, NOW)
    looks = []
    for _ in range(4):
        looks.append(len(await take(Event.CLAIM_POLL)))
        clock.now += 500
    assert looks == [1, 0, 1, 0]


async def test_one_call_that_looks_at_many_tasks_counts_once(
    store: PlannedStore, accept: Accept, take: Take, clock: HandClock
) -> None:
    polls = Pool(name=f"polls:{REMOTE}", rate=Rate(count=1, seconds=1))
    await store.set_pools([*samples.pools(REMOTE, 20), polls])
    for _ in range(12):
        await accept()
    for claim in await take():
        accepted = Step(event=Event.ACCEPTED, attempt=claim.schedule.attempt, upstream_ref="up", due=NOW)
        await store.step(claim.task.id, accepted, NOW)
    looks = []
    for _ in range(7):
        looks.append(len(await take(Event.CLAIM_POLL, looks_at_once={REMOTE: 5})))
        clock.now += 500
    assert looks == [5, 0, 5, 0, 2, 0, 0]


async def test_a_pause_holds_everything_back_and_is_never_shortened(
    store: PlannedStore, accept: Accept, take: Take, clock: HandClock
) -> None:
    await store.set_pools(samples.pools(REMOTE, 10))
    task = await accept()
    await store.pause(f"upstream:{REMOTE}", NOW + 1000)
    await store.pause(f"upstream:{REMOTE}", NOW + 10)
    clock.now = NOW + 999
    assert await take() == []
    clock.now = NOW + 1000
    assert names(await take()) == [task.id]


async def test_setting_a_pool_again_keeps_what_is_in_use(
    store: PlannedStore, accept: Accept, take: Take
) -> None:
    await store.set_pools(samples.pools(REMOTE, 2))
    for _ in range(3):
        await accept()
    assert len(await take()) == 2
    await store.set_pools(samples.pools(REMOTE, 3))
    assert len(await take()) == 1


candidates = some.builds(
    Candidate,
    some.integers(0, 9),
    some.uuids().map(str),
    some.sampled_from(["a", "b"]),
    some.sampled_from(["", "key:1", "key:2", "key:free"]),
)
rooms = some.fixed_dictionaries(
    {name: some.integers(0, 4) for name in ("upstream:a", "upstream:b", "key:1", "key:2")}
)


@given(found=some.lists(candidates, max_size=25), rooms=rooms, limit=some.integers(0, 12))
def test_a_choice_exceeds_no_room_and_leaves_nobody_out_who_fits(
    found: list[Candidate], rooms: dict[str, int], limit: int
) -> None:
    taken = within(found, rooms, limit)

    def used(name: str) -> int:
        return sum(name in (f"upstream:{each.upstream}", each.lane) for each in taken)

    assert len(taken) <= limit
    assert all(used(name) <= rooms[name] for name in rooms)
    assert taken == sorted(taken)
    if len(taken) < limit:
        for each in set(found) - set(taken):
            full = [
                name
                for name in (f"upstream:{each.upstream}", each.lane)
                if name in rooms and used(name) == rooms[name]
            ]
            assert full, each
