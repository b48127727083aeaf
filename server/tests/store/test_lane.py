"""A lane's transaction is in exactly once, whatever becomes of the connection that carried it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from meshapi_server.store.faults import DatabaseDown
from meshapi_server.store.postgres import PostgresStore
from meshapi_server.store.postgres_connections import Connections
from meshapi_server.store.postgres_lane import Connection, Lane
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.states import Event
from postgres_server import PostgresServer

from .. import samples
from ..samples import NOW, OWNER, REMOTE
from .cutting_proxy import CuttingProxy, Moment


@pytest.fixture
def direct(postgres: PostgresServer) -> Iterator[str]:
    """A database, reached directly."""
    url = postgres.fresh_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture
async def proxy(direct: str) -> AsyncIterator[CuttingProxy]:
    started = await CuttingProxy(urlsplit(direct).port or 0).start()
    yield started
    await started.stop()


@pytest.fixture
def through(direct: str, proxy: CuttingProxy) -> str:
    """The same database, reached through the proxy."""
    return direct.replace(f":{urlsplit(direct).port}/", f":{proxy.port}/")


@pytest.fixture
async def lane(through: str) -> AsyncIterator[Lane]:
    made = Lane(Connections(through).connect, lambda: NOW, patience=60)
    yield made
    await made.close()


@pytest.fixture
async def beside(direct: str) -> AsyncIterator[Connection]:
    """A connection of the test's own, with a table to write to."""
    connection = await Connections(direct).connect()
    await connection.execute("create table line (text text not null)")
    yield connection
    await connection.close()


async def write(connection: Connection) -> str:
    await connection.execute("insert into line values ('one')")
    return "written"


async def lines(connection: Connection) -> int:
    count: int = await connection.fetchval("select count(*) from line")
    return count


@pytest.mark.parametrize(
    "cuts", [("before",), ("after",), ("before", "after"), ("before", "before", "after"), ("after", "after")]
)
async def test_a_commit_whose_answer_is_lost_is_in_once(
    lane: Lane, proxy: CuttingProxy, beside: Connection, cuts: tuple[Moment, ...]
) -> None:
    proxy.lose(*cuts)
    for number in range(1, 4):
        assert await lane.run(write) == "written"
        assert await lines(beside) == number
    assert proxy.cut == len(cuts)


async def test_a_connection_that_breaks_in_the_middle_undoes_what_was_begun_and_begins_anew(
    lane: Lane, beside: Connection, direct: str
) -> None:
    tries: list[int] = []

    async def broken_once(connection: Connection) -> None:
        tries.append(connection.get_server_pid())
        await write(connection)
        if len(tries) == 1:
            await beside.execute("select pg_terminate_backend($1)", tries[0])
        await write(connection)

    await lane.run(broken_once)
    assert len(tries) == 2
    assert await lines(beside) == 2


async def test_a_deadlock_is_tried_again_by_the_one_that_lost_it(through: str, beside: Connection) -> None:
    await beside.execute("insert into line values ('a'), ('b')")
    lanes = [Lane(Connections(through).connect, lambda: NOW, patience=60) for _ in range(2)]
    both_hold = [asyncio.Event(), asyncio.Event()]

    async def crossing(connection: Connection, mine: int) -> None:
        names = ("a", "b") if mine == 0 else ("b", "a")
        await connection.execute("update line set text = text where text = $1", names[0])
        both_hold[mine].set()
        await both_hold[1 - mine].wait()
        await connection.execute("update line set text = text where text = $1", names[1])
        await write(connection)

    await asyncio.gather(
        *(lane.run(lambda c, mine=mine: crossing(c, mine)) for mine, lane in enumerate(lanes))
    )
    assert await lines(beside) == 4
    for lane in lanes:
        await lane.close()


async def test_what_the_database_refuses_is_told_and_the_lane_goes_on(lane: Lane, beside: Connection) -> None:
    async def refused(connection: Connection) -> None:
        await write(connection)
        await connection.execute("insert into line values (null)")

    with pytest.raises(asyncpg.NotNullViolationError):
        await lane.run(refused)
    assert await lines(beside) == 0
    assert await lane.run(write) == "written"
    assert await lines(beside) == 1


async def test_a_caller_that_gives_up_does_not_undo_its_transaction(lane: Lane, beside: Connection) -> None:
    begun = asyncio.Event()

    async def slow(connection: Connection) -> None:
        begun.set()
        await write(connection)

    caller = asyncio.create_task(lane.run(slow))
    await begun.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await lane.run(write)  # waits for its turn, and so for the other
    assert await lines(beside) == 2


async def test_a_database_that_does_not_come_back_is_reported_without_its_password() -> None:
    nowhere = Lane(Connections("postgresql://me:secret@127.0.0.1:1/x").connect, lambda: NOW, patience=0.1)
    with pytest.raises(DatabaseDown, match="does not answer") as told:
        await nowhere.run(write)
    assert "secret" not in str(told.value)


async def test_a_closed_lane_leaves_no_mark(lane: Lane, beside: Connection) -> None:
    await lane.run(write)
    assert await beside.fetchval("select count(*) from commit_mark") == 1
    await lane.close()
    assert await beside.fetchval("select count(*) from commit_mark") == 0


async def test_a_store_whose_every_commit_is_lost_at_first_does_everything_once(
    through: str, proxy: CuttingProxy
) -> None:
    store = PostgresStore(through, patience=60)
    await store.open()
    try:
        await store.set_pools(samples.pools(REMOTE, 100))
        tasks = [samples.task() for _ in range(12)]
        moments: list[Moment] = ["after", "before", "after", "after"]
        proxy.lose(*moments)
        created = await asyncio.gather(
            *(
                store.create(task, samples.schedule_of(task), b"{}", samples.idempotency(task.id))
                for task in tasks
            )
        )
        assert [answer.replayed for answer in created] == [False] * 12
        proxy.lose(*moments)
        claims = await store.claim(
            Event.CLAIM_SUBMIT, upstreams=(REMOTE,), worker="w", now=NOW, lease_until=NOW + 1, limit=50
        )
        assert [claim.schedule.attempt for claim in claims] == [1] * 12
        proxy.lose(*moments)
        accepted = await asyncio.gather(
            *(
                store.step(each.task.id, Step(event=Event.ACCEPTED, attempt=1, upstream_ref="up"), NOW)
                for each in claims
            )
        )
        assert None not in accepted
        proxy.lose(*moments)
        assert await store.cancel(OWNER, tasks[0].id, NOW) is not None
        assert {line.kind for line in await store.timeline(tasks[0].id)} == {"submit", "poll"}
        assert proxy.cut >= 8
    finally:
        await store.close()


async def test_a_closed_lane_runs_nothing_any_more(lane: Lane, beside: Connection) -> None:
    await lane.run(write)
    await lane.close()
    with pytest.raises(RuntimeError, match="closed"):
        await lane.run(write)
    assert await lines(beside) == 1
