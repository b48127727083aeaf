"""The database's clock, read here."""

import pytest

from meshapi_server.store.postgres_clock import DatabaseClock
from meshapi_server.store.postgres_connections import Connections

NOW = "select (extract(epoch from clock_timestamp()) * 1000)::bigint"


class Shifted:
    """A database whose clock is an hour ahead; each question takes as long as it is told."""

    def __init__(self, local: list[int], delays: list[int]) -> None:
        self._local, self._delays = local, delays

    async def fetchval(self, query: str) -> int:
        assert query.startswith("select")
        there, back = divmod(self._delays.pop(0), 2)
        self._local[0] += there
        answer = self._local[0] + 3_600_000_000
        self._local[0] += there + back
        return answer


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
async def test_it_shows_the_databases_time(database: str) -> None:
    connection = await Connections(database).connect()
    clock = DatabaseClock()
    await clock.measure(connection)
    slack = clock.uncertainty // 1000 + 1
    before = clock()
    told = await connection.fetchval(NOW)
    after = clock()
    assert before - slack <= told <= after + slack
    await connection.close()


async def test_the_quickest_of_several_questions_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    local = [1_000_000_000]
    monkeypatch.setattr("meshapi_server.store.postgres_clock.local_microseconds", lambda: local[0])
    clock = DatabaseClock()
    await clock.measure(Shifted(local, [80_000, 2_000, 40_000, 6_000]))
    assert clock.uncertainty == 1_000
    assert clock() == (local[0] + 3_600_000_000) // 1000
    local[0] += 5_000_000
    assert clock() == (local[0] + 3_600_000_000) // 1000
