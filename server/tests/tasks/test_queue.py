"""Who is served when: slots that sleepers occupy, lanes of keys, priorities, rates."""

from collections.abc import Sequence
from typing import Any

from meshapi_server.tasks.limits import Pool
from meshapi_server.tasks.states import Event, State, Status
from meshapi_server.tasks.task import Task
from meshapi_server.upstreams.contract import Look, Progress, Rate

from ..samples import OWNER
from .bench import LOCAL, Bench
from .scripted import Gate, ScriptedLocal, ScriptedRemote, never, running


async def lane(bench: Bench, name: str, concurrency: int) -> str:
    """The pool of a key's own limit."""
    await bench.store.set_pools([Pool(name=name, capacity=concurrency)])
    return name


def asked(upstream: ScriptedRemote) -> list[str]:
    """The tasks that the upstream was asked for, in their order."""
    return [job.task_id for job in upstream.submits]


async def sent(bench: Bench, upstream: ScriptedRemote, *tasks: Task) -> None:
    """Wait until exactly these tasks were sent, in this order, and nothing more comes."""
    for task in tasks:
        await bench.reaches(task, State.POLLING)
    await bench.turns()
    assert asked(upstream) == [task.id for task in tasks]


async def test_tasks_that_sleep_upstream_occupy_the_upstreams_slots(bench: Bench) -> None:
    upstream = ScriptedRemote(poll=running, capacity=2)
    tasks = [await bench.create() for _ in range(4)]
    async with bench.working(upstream):
        await sent(bench, upstream, *tasks[:2])
        await bench.service.cancel(OWNER, tasks[0].id)
        await bench.reaches(tasks[2], State.POLLING)
        await bench.turns()
    assert asked(upstream) == [task.id for task in tasks[:3]]


async def test_a_key_occupies_no_more_than_its_slots_also_while_its_tasks_sleep_upstream(
    bench: Bench,
) -> None:
    upstream = ScriptedRemote(poll=running)
    key = await lane(bench, "key:1", 2)
    mine = [await bench.create(lane=key) for _ in range(4)]
    async with bench.working(upstream):
        await sent(bench, upstream, *mine[:2])


async def test_others_pass_a_key_that_has_its_slots_full_however_long_its_queue_is(bench: Bench) -> None:
    upstream = ScriptedRemote(poll=running, capacity=5)
    key = await lane(bench, "key:1", 2)
    mine = [await bench.create(lane=key, priority=9) for _ in range(40)]
    others = [await bench.create(lane=await lane(bench, "key:2", 2)), await bench.create()]
    async with bench.working(upstream):
        await sent(bench, upstream, *mine[:2], *others)


async def test_a_keys_next_task_is_sent_when_one_of_its_tasks_has_ended(bench: Bench) -> None:
    upstream = ScriptedRemote(poll=running)
    key = await lane(bench, "key:1", 1)
    first, second = await bench.create(lane=key), await bench.create(lane=key)
    async with bench.working(upstream):
        await sent(bench, upstream, first)
        await bench.service.cancel(OWNER, first.id)
        await bench.reaches(second, State.POLLING)


async def test_a_key_has_its_slots_over_all_upstreams_together(bench: Bench) -> None:
    first, second = ScriptedRemote("first", poll=running), ScriptedRemote("second", poll=running)
    key = await lane(bench, "key:1", 2)
    tasks = [await bench.create(f"{name}/any", lane=key) for name in ("first", "second", "first", "second")]
    async with bench.working(first, second):
        for task in tasks[:2]:
            await bench.reaches(task, State.POLLING)
        await bench.turns()
    assert len(asked(first)) + len(asked(second)) == 2


async def test_the_highest_priority_is_served_first_and_then_the_oldest(bench: Bench) -> None:
    upstream = ScriptedLocal(capacity=1)
    plain, later = await bench.create(LOCAL), await bench.create(LOCAL)
    urgent = await bench.create(LOCAL, priority=9)
    async with bench.working(upstream):
        for task in (plain, later, urgent):
            await bench.ended(task)
    assert [job.task_id for job in upstream.begun] == [urgent.id, plain.id, later.id]


async def test_an_upstream_is_sent_no_more_than_its_rate_in_any_window(bench: Bench) -> None:
    upstream = ScriptedRemote(poll=running, capacity=100, submits=Rate(count=10, seconds=60))
    tasks = [await bench.create() for _ in range(25)]
    times: list[int] = []
    async with bench.working(upstream):
        while len(upstream.submits) < len(tasks):
            await bench.turns(1)
            times += [bench.clock()] * (len(upstream.submits) - len(times))
            bench.pass_time(4)
    assert all(later - first >= 60_000 for first, later in zip(times, times[10:], strict=False))
    assert times[-1] - times[0] <= 200_000  # and the rate is used: 9 a minute after the first


async def test_an_upstream_is_looked_at_no_more_than_its_rate_of_polls(bench: Bench) -> None:
    upstream = ScriptedRemote(poll=running, capacity=100, polls=Rate(count=10, seconds=60))
    hand = await bench.hand(upstream)
    for _ in range(25):
        await bench.create()
        await hand.submit()
    times: list[int] = []
    async with bench.working(upstream):
        while upstream.polls < 25:
            await bench.turns(1)
            times += [bench.clock()] * (upstream.polls - len(times))
            bench.pass_time(4)
    assert all(later - first >= 60_000 for first, later in zip(times, times[10:], strict=False))


async def test_a_rate_spent_by_one_worker_is_spent_for_all(bench: Bench) -> None:
    upstream = ScriptedRemote(capacity=100, submits=Rate(count=10, seconds=60))
    await bench.worker(upstream).prepare(alone=True)
    for _ in range(30):
        await bench.create()
    now = bench.clock()
    taken = []
    for name in ("one", "two", "three"):
        values: dict[str, Any] = {"worker": name, "now": now, "lease_until": now + 30_000, "limit": 16}
        taken.append(len(await bench.store.claim(Event.CLAIM_SUBMIT, upstreams=("sandbox",), **values)))
    assert taken == [1, 0, 0]


async def test_an_upstream_that_hangs_keeps_no_worker_from_sending_to_the_others(bench: Bench) -> None:
    gate = Gate()
    hangs, works = ScriptedRemote("hangs", submit=gate, capacity=100), ScriptedRemote("works", poll=running)
    for _ in range(40):
        await bench.create("hangs/any", priority=9)
    task = await bench.create("works/any")
    async with bench.working(hangs, works):
        await bench.reaches(task, State.POLLING)
        gate.open()


async def test_an_upstream_that_hangs_keeps_no_worker_from_looking_at_the_others(bench: Bench) -> None:
    async def hang(looks: Sequence[Look]) -> list[Progress | Exception]:
        await never()
        return []

    hangs, works = ScriptedRemote("hangs", looks=hang, capacity=100), ScriptedRemote("works")
    hand = await bench.hand(hangs)
    for _ in range(40):
        await bench.create("hangs/any")
        await hand.submit()
    task = await bench.create("works/any")
    async with bench.working(hangs, works, polls_at_once=16):
        assert (await bench.ended(task)).status is Status.SUCCEEDED


async def test_a_worker_with_one_upstream_gives_it_all_its_places(bench: Bench) -> None:
    gate = Gate()
    upstream = ScriptedRemote(submit=gate, capacity=100)
    for _ in range(40):
        await bench.create()
    async with bench.working(upstream, submits_at_once=16):
        await bench.until(lambda: len(upstream.submits) == 16)
        await bench.turns()
        assert len(upstream.submits) == 16
        gate.open()
