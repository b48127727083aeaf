"""The circuit breaker: an upstream that fails again and again is passed over for a while."""

from meshapi_server.tasks.health import LONGEST_REST, SHORTEST_REST, TRIPS_AFTER, Health
from meshapi_server.tasks.states import State, Status

from ..samples import HandClock
from .bench import BOTH, Bench
from .scripted import ScriptedRemote, running
from .test_routing import without_funds


def tripped(clock: HandClock) -> Health:
    health = Health(clock)
    for _ in range(TRIPS_AFTER):
        health.failed("first")
    return health


def test_a_few_failures_are_nothing() -> None:
    health = Health(HandClock())
    for _ in range(TRIPS_AFTER - 1):
        health.failed("first")
    assert not health.rests("first")


def test_enough_failures_in_a_row_let_it_rest_and_nobody_else() -> None:
    health = tripped(HandClock())
    assert health.rests("first")
    assert not health.rests("second")


def test_an_answer_between_failures_starts_the_count_anew() -> None:
    health = Health(HandClock())
    for _ in range(3 * TRIPS_AFTER):
        health.failed("first")
        health.answered("first")
    assert not health.rests("first")


def test_after_the_rest_exactly_one_asks_while_the_others_go_elsewhere() -> None:
    clock = HandClock()
    health = tripped(clock)
    clock.now += SHORTEST_REST
    assert [health.rests("first") for _ in range(3)] == [False, True, True]


def test_a_probe_that_succeeds_ends_the_rest() -> None:
    clock = HandClock()
    health = tripped(clock)
    clock.now += SHORTEST_REST
    health.rests("first")
    health.answered("first")
    assert not health.rests("first")


def test_each_probe_that_fails_doubles_the_rest_up_to_the_longest() -> None:
    clock = HandClock()
    health = tripped(clock)
    rest = SHORTEST_REST
    for _ in range(8):
        clock.now += rest
        assert not health.rests("first")
        health.failed("first")
        rest = min(LONGEST_REST, rest * 2)
        clock.now += rest - 1
        assert health.rests("first")
        clock.now += 1 - rest
    assert rest == LONGEST_REST


async def test_tasks_with_another_route_stop_asking_an_upstream_that_rests(bench: Bench) -> None:
    first, second = without_funds("first"), ScriptedRemote("second", poll=running, capacity=100)
    tasks = [await bench.create(BOTH) for _ in range(TRIPS_AFTER + 20)]
    async with bench.working(first, second):
        for task in tasks:
            await bench.rests(task, State.POLLING)
    assert len(second.submits) == len(tasks)
    assert TRIPS_AFTER <= len(first.submits) < len(tasks)


async def test_a_task_with_nowhere_else_to_go_is_sent_all_the_same(bench: Bench) -> None:
    alone = without_funds("first")
    tasks = [await bench.create("first/any") for _ in range(TRIPS_AFTER + 2)]
    async with bench.working(alone):
        for task in tasks:
            assert (await bench.ended(task)).status is Status.FAILED
    assert len(alone.submits) == len(tasks)
