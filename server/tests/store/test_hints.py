"""Word between processes: it reaches the others, not oneself, and comes back after a restart."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from meshapi_server.store.postgres_connections import Connections
from meshapi_server.store.postgres_hints import PostgresHints
from meshapi_server.tasks import ids

pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)


class Ear:
    """Hints of one process, and what it heard."""

    def __init__(self, url: str) -> None:
        self.hints = PostgresHints(Connections(url).connect)
        self.heard: list[str] = []
        self.rung = 0
        self.hints.listen(self.heard.append, self._ring)

    def _ring(self) -> None:
        self.rung += 1


@pytest.fixture
async def ears(database: str) -> AsyncIterator[list[Ear]]:
    made = [Ear(database) for _ in range(3)]
    for ear in made:
        await ear.hints.open()
    yield made
    for ear in made:
        await ear.hints.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - a hint announces itself to nobody else
            await asyncio.sleep(0.005)


async def test_what_one_announces_the_others_hear_and_it_does_not(ears: list[Ear]) -> None:
    names = [ids.task_id() for _ in range(600)]
    for name in names:
        ears[0].hints.announce(name)
    ears[0].hints.ring()
    await until(lambda: all(ear.rung and len(ear.heard) == len(names) for ear in ears[1:]))
    ears[1].hints.announce("task_answer")
    await until(lambda: ears[0].heard == ["task_answer"] and len(ears[2].heard) > len(names))
    assert ears[0].rung == 0
    assert ears[1].heard == names
    assert ears[2].heard == [*names, "task_answer"]


async def test_a_task_announced_many_times_at_once_is_told_once(ears: list[Ear]) -> None:
    for _ in range(50):
        ears[0].hints.announce("task_same")
    ears[0].hints.announce("task_last")
    await until(lambda: "task_last" in ears[1].heard)
    assert ears[1].heard == ["task_same", "task_last"]


async def test_after_a_lost_connection_it_rings_once_for_what_was_missed_and_hears_again(
    ears: list[Ear], database: str
) -> None:
    other = await Connections(database).connect()
    await other.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
        " and datname = current_database()"
    )
    await other.close()
    await until(lambda: all(ear.rung == 1 for ear in ears))
    ears[0].hints.announce("task_later")
    await until(lambda: all(ear.heard == ["task_later"] for ear in ears[1:]))


async def test_what_was_announced_last_is_still_sent_at_the_end(ears: list[Ear]) -> None:
    ears[0].hints.announce("task_farewell")
    await ears[0].hints.close()
    await until(lambda: ears[1].heard == ["task_farewell"])
