"""Queued tasks of a paused upstream move on to a route that is free, in both dialects; no others ever do."""

import pytest

from meshapi_server.store.planned import PlannedStore
from meshapi_server.tasks import detours
from meshapi_server.tasks.detours import BEGINNING, Detours
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.limits import Pool
from meshapi_server.tasks.ports import Detour, Query
from meshapi_server.tasks.price import Budget, Tariff
from meshapi_server.tasks.states import Event, State
from meshapi_server.tasks.task import Route, Task

from .. import samples
from ..samples import NOW, OWNER, HandClock
from .conftest import Accept, Sql, Take

KEY = "key:key_1"
PAUSE = NOW + 60_000
CHEAP, DEAR = Tariff(most=1_000), Tariff(most=9_000)


def route(upstream: str, tariff: Tariff | None = None) -> Route:
    return Route(upstream=upstream, model=f"{upstream}/x", upstream_model="x", tariff=tariff)


BOTH = (route("first"), route("second"))
TWO = {"upstream": "first", "model": "first/x", "routes": BOTH}


@pytest.fixture
async def paused(store: PlannedStore) -> Detours:
    """The detours of a worker that can ask three upstreams, of which the first is paused for a minute."""
    await store.set_pools(
        [Pool(name=f"upstream:{each}", capacity=100) for each in ("first", "second", "third")]
    )
    await store.pause("upstream:first", PAUSE)
    return Detours(store, ("first", "second", "third"))


async def place(store: PlannedStore, task: Task) -> tuple[State, str, int]:
    held = await store.schedule(task.id)
    assert held is not None
    return held.state, held.upstream, held.route


async def test_a_task_that_waits_for_a_paused_upstream_goes_to_its_next_route_and_is_claimed_there(
    store: PlannedStore, paused: Detours, accept: Accept, take: Take
) -> None:
    task = await accept(**TWO)
    assert await take(upstream="first") == []
    (moved,) = await paused.take(NOW)
    assert (moved.id, moved.upstream, moved.model, moved.version) == (task.id, "second", "second/x", 2)
    assert await place(store, task) == (State.QUEUED, "second", 1)
    assert [claim.task.id for claim in await take(upstream="second")] == [task.id]
    assert (await store.page(OWNER, Query(models=("second/x",)))).total == 1


async def test_a_task_stays_when_the_pause_is_short_or_over_or_there_is_no_other_route(
    store: PlannedStore, paused: Detours, accept: Accept
) -> None:
    task = await accept(**TWO)
    single = await accept(upstream="first", model="first/x", routes=BOTH[:1])
    for now in (PAUSE - detours.SHORT, PAUSE, PAUSE + 1):
        assert await paused.take(now) == ()
    assert [each.id for each in await paused.take(PAUSE - detours.SHORT - 1)] == [task.id]
    assert await place(store, single) == (State.QUEUED, "first", 0)


async def test_a_route_that_is_paused_itself_is_passed_over(
    store: PlannedStore, paused: Detours, accept: Accept
) -> None:
    two = await accept(**TWO)
    three = await accept(upstream="first", model="first/x", routes=(*BOTH, route("third")))
    await store.pause("upstream:second", NOW + 1)
    assert [each.id for each in await paused.take(NOW)] == [three.id]
    assert await place(store, three) == (State.QUEUED, "third", 2)
    assert await place(store, two) == (State.QUEUED, "first", 0)


async def test_no_more_go_than_the_next_upstream_and_their_key_have_room_for(
    store: PlannedStore, paused: Detours, accept: Accept, take: Take
) -> None:
    await store.set_pools([Pool(name="upstream:second", capacity=3), Pool(name=KEY, capacity=1)])
    mine = [await accept(**TWO, lane=KEY) for _ in range(2)]
    others = [await accept(**TWO) for _ in range(4)]
    moved = [each.id for each in await paused.take(NOW)]
    assert moved == [mine[0].id, others[0].id, others[1].id]
    assert await paused.take(NOW) == (), "three wait there already"
    assert len(await take(upstream="second")) == 3
    assert await paused.take(NOW) == (), "its places are taken"


async def test_a_task_that_an_upstream_may_have_is_never_moved(
    store: PlannedStore, paused: Detours, accept: Accept, take: Take
) -> None:
    sent = await accept(upstream="third", model="third/x", routes=(route("third"), *BOTH))
    (claim,) = await take(upstream="third")
    wish = Detour(task_id=sent.id, upstream="third", route=0, to=1)
    assert await store.detour([wish], NOW) == []
    assert await place(store, sent) == (State.SENDING, "third", 0)
    step = Step(event=Event.ACCEPTED, attempt=claim.schedule.attempt, upstream_ref="r", due=NOW)
    await store.step(sent.id, step, NOW)
    assert await store.detour([wish], NOW) == []
    assert await place(store, sent) == (State.POLLING, "third", 0)


async def test_a_wish_that_is_no_longer_true_changes_nothing(
    store: PlannedStore, paused: Detours, accept: Accept
) -> None:
    task = await accept(**TWO)
    wish = Detour(task_id=task.id, upstream="first", route=0, to=1)
    assert len(await store.detour([wish], NOW)) == 1
    assert await store.detour([wish], NOW) == []
    await store.cancel(OWNER, task.id, NOW)
    assert await store.detour([wish], NOW) == []


async def test_what_is_held_for_a_task_stays_the_dearest_of_its_routes(
    store: PlannedStore, paused: Detours, sql: Sql
) -> None:
    routes = (route("first", CHEAP), route("second", DEAR))
    task = samples.task(upstream="first", model="first/x", routes=routes, key_id="key_1")
    schedule = samples.schedule_of(task)
    await store.create(task, schedule, b"{}", None, budget=Budget(total=DEAR.most))
    assert len(await paused.take(NOW)) == 1
    assert await sql("select held, spent from spending where day = -1") == [(DEAR.most, 0)]
    held = await sql("select model, sum(held) from daily_usage group by model having sum(held) <> 0")
    assert held == [("second/x", DEAR.most)]


async def test_a_queue_is_walked_through_to_its_end_and_a_task_that_is_put_off_is_passed_over(
    store: PlannedStore, paused: Detours, accept: Accept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detours, "_AT_ONCE", 2)
    for _ in range(4):
        await accept(upstream="first", model="first/x", routes=BOTH[:1])
    await accept(**TWO, due=NOW + 1)
    last = await accept(**TWO)
    moved = [[each.id for each in await paused.take(NOW)] for _ in range(3)]
    assert moved == [[], [], [last.id]]
    found = await store.waiting("first", BEGINNING, NOW, 10)
    assert len(found) == 4


async def test_a_walk_begins_anew_after_a_pause(
    store: PlannedStore, paused: Detours, accept: Accept, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detours, "_AT_ONCE", 1)
    single = await accept(upstream="first", model="first/x", routes=BOTH[:1])
    assert await paused.take(NOW) == ()
    assert await paused.take(PAUSE) == ()
    assert single.id
    urgent = await accept(**TWO, spec=samples.spec(priority=9))
    await store.pause("upstream:first", PAUSE + 60_000)
    assert [each.id for each in await paused.take(PAUSE)] == [urgent.id]
