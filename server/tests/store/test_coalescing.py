"""Callers share transactions, never a fault; hints share payloads."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as some

from meshapi_server.store.coalescing import Coalescer
from meshapi_server.store.faults import DatabaseDown
from meshapi_server.store.postgres_hints import payloads


class Counter:
    """Serves numbers: doubles them, refuses negative ones, and remembers its groups."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.down = False

    async def serve(self, numbers: Sequence[int]) -> Sequence[int]:
        self.groups.append(list(numbers))
        await self.gate.wait()
        if self.down:
            raise DatabaseDown("gone")
        for number in numbers:
            if number < 0:
                raise ValueError(number)
        return [2 * number for number in numbers]


async def waiting(coalescer: Coalescer[int, int], numbers: Sequence[int]) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(coalescer.submit(number)) for number in numbers]
    await asyncio.sleep(0)
    return tasks


async def test_the_first_goes_alone_and_those_that_come_meanwhile_go_together() -> None:
    counter = Counter()
    counter.gate.clear()
    coalescer = Coalescer(counter.serve, at_once=4)
    tasks = await waiting(coalescer, range(7))
    counter.gate.set()
    assert await asyncio.gather(*tasks) == [0, 2, 4, 6, 8, 10, 12]
    assert counter.groups == [[0], [1, 2, 3, 4], [5, 6]]


async def test_one_that_is_refused_is_told_so_and_the_others_are_served() -> None:
    counter = Counter()
    coalescer = Coalescer(counter.serve)
    tasks = await waiting(coalescer, [1, 2, -3, 4])
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [result if isinstance(result, int) else type(result) for result in results] == [
        2,
        4,
        ValueError,
        8,
    ]
    assert await coalescer.submit(5) == 10


async def test_when_the_database_is_away_everybody_hears_of_it_once() -> None:
    counter = Counter()
    counter.down = True
    counter.gate.clear()
    coalescer = Coalescer(counter.serve)
    tasks = await waiting(coalescer, range(5))
    counter.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(result) for result in results} == {DatabaseDown}
    assert counter.groups == [[0], [1, 2, 3, 4]]


async def test_a_caller_that_gives_up_leaves_the_others_and_its_own_work_alone() -> None:
    counter = Counter()
    counter.gate.clear()
    coalescer = Coalescer(counter.serve)
    first, second, third = await waiting(coalescer, [1, 2, 3])
    second.cancel()
    counter.gate.set()
    assert (await first, await third) == (2, 6)
    assert counter.groups == [[1], [2, 3]]


async def test_closing_finishes_what_waits_and_then_refuses() -> None:
    counter = Counter()
    counter.gate.clear()
    coalescer = Coalescer(counter.serve)
    tasks = await waiting(coalescer, [1, 2])
    closing = asyncio.create_task(coalescer.close())
    await asyncio.sleep(0)
    assert not closing.done()
    counter.gate.set()
    await closing
    assert [task.result() for task in await done(tasks)] == [2, 4]
    with pytest.raises(RuntimeError, match="closed"):
        await coalescer.submit(3)


async def done(tasks: list[asyncio.Task[int]]) -> list[asyncio.Task[int]]:
    await asyncio.gather(*tasks)
    return tasks


@given(words=some.lists(some.text("abc_1", min_size=1, max_size=40), max_size=600))
def test_payloads_hold_every_word_and_fit_into_a_notification(words: list[str]) -> None:
    made = payloads(words)
    assert [word for payload in made for word in payload.split()] == words
    assert all(len(payload) < 8000 for payload in made)
    assert len(made) <= sum(len(word) + 1 for word in words) // 7900 + 1
