"""A file of the first release, with tasks in every state, is taken over whole."""

import sqlite3
from pathlib import Path

import msgspec
import pytest

from meshapi_server.store import migrate as room
from meshapi_server.store.migrate import migrations
from meshapi_server.store.planned import PlannedStore
from meshapi_server.store.sqlite_migrate import migrate
from meshapi_server.store.writer import connect
from meshapi_server.tasks import ids
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.ports import Query
from meshapi_server.tasks.states import Event, State, Status

from .. import samples
from ..samples import EXPIRY, LOCAL, NOW, OWNER, REMOTE
from .conftest import Another, Sql, Take

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

# state, status, attempt, due, upstream_ref; what has ended has no row in the schedule
FLYING: dict[str, tuple[str, int, int, str | None]] = {
    "queued": ("pending", 0, NOW, None),
    "rendering": ("running", 1, NOW, None),
    "sending": ("pending", 1, NOW, None),
    "unknown": ("pending", 1, NOW + 60_000, None),
    "polling": ("running", 4, NOW + 5_000, "up-1"),
    "fetching": ("running", 6, NOW, "up-2"),
}


class FirstRelease:
    """A file as the first release wrote it."""

    def __init__(self, path: Path, patch: pytest.MonkeyPatch) -> None:
        first = migrations("sqlite")[:1]
        self.connection = connect(path)
        with patch.context() as patched:
            patched.setattr(room, "migrations", lambda _: first)
            migrate(self.connection, NOW)

    def add(self, status: str, error_code: str | None = None, upstream: str = REMOTE) -> str:
        task_id = ids.task_id()
        spec = msgspec.json.encode(samples.spec(metadata={"order": task_id}))
        outcome = {} if error_code is None else {"error": {"code": error_code, "message": "no"}}
        self.connection.execute(
            "insert into task values (?,?,?,?,?,?,?,?,3,?,?,null,?,0.5,null,?,?,?)",
            (
                task_id,
                OWNER,
                f"req_{task_id}",
                "sandbox/fails",
                "sandbox/fails",
                upstream,
                status,
                error_code,
                NOW,
                NOW,
                NOW + EXPIRY,
                msgspec.json.encode({"order": task_id}).decode(),
                spec,
                msgspec.json.encode(outcome),
            ),
        )
        return task_id

    def fly(self, state: str) -> str:
        status, attempt, due, reference = FLYING[state]
        upstream = LOCAL if state == "rendering" else REMOTE
        task_id = self.add(status, upstream=upstream)
        held = ("w", NOW + 30_000) if state in {"rendering", "sending"} else (None, 0)
        self.connection.execute(
            "insert into schedule values (?,?,?,9,?,?,?,?,?,2,0,?)",
            (task_id, upstream, state, due, attempt, *held, reference, NOW + EXPIRY),
        )
        if attempt:
            event = "claim_render" if state == "rendering" else "claim_submit"
            self.connection.execute(
                "insert into attempt values (?,1,?,'w',?,null,null)", (task_id, event, NOW)
            )
        return task_id

    def close(self) -> None:
        self.connection.execute("insert into slot values (?, 7, 4), (?, 2, 1)", (REMOTE, LOCAL))
        self.connection.execute(
            "insert into idempotency values (?, 'key-1', ?, 'task_x', ?, ?)", (OWNER, b"body", b"first", NOW)
        )
        self.connection.execute("insert into secret values ('links', ?)", (b"kept",))
        self.connection.execute(
            "insert into api_key values ('key_1', ?, 'ci', ?, '0000', ?, null)", (OWNER, b"hash", NOW)
        )
        self.connection.close()


@pytest.fixture
def old(database: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The ids of the tasks in a file of the first release, by state; two that have ended."""
    release = FirstRelease(Path(database.removeprefix("sqlite:///")), monkeypatch)
    tasks = {state: release.fly(state) for state in FLYING}
    tasks |= {"succeeded": release.add("succeeded"), "failed": release.add("failed", "expired")}
    release.close()
    return tasks


async def test_every_task_is_there_as_it_was(old: dict[str, str], store: PlannedStore) -> None:
    for state, task_id in old.items():
        task = await store.get(OWNER, task_id)
        assert task is not None
        assert (task.id, task.version, task.progress, task.key_id, task.routes) == (task_id, 3, 0.5, None, ())
        schedule = await store.schedule(task_id)
        assert (schedule.state if schedule else None) == (State(state) if state in FLYING else None)
        if schedule is not None:
            _, attempt, due, reference = FLYING[state]
            assert (schedule.attempt, schedule.due, schedule.upstream_ref) == (attempt, due, reference)
            assert (schedule.lane, schedule.route, schedule.woken) == ("", 0, False)


async def test_totals_pools_keys_and_secrets_are_taken_over(
    old: dict[str, str], store: PlannedStore, sql: Sql
) -> None:
    assert (await store.page(OWNER, Query())).total == len(old)
    assert (await store.page(OWNER, Query(statuses=("running",)))).total == 3
    assert (await store.page(OWNER, Query(errors=("expired",)))).total == 1
    assert await sql("select name, capacity, used from pool order by name") == [
        (f"upstream:{LOCAL}", 2, 1),
        (f"upstream:{REMOTE}", 7, 4),
    ]
    assert await store.replay(OWNER, samples.idempotency()) is not None
    assert await sql("select value from secret") == [(b"kept",)]
    assert await sql("select id, concurrency from api_key") == [("key_1", None)]
    wanted = (await store.page(OWNER, Query(metadata=(("order", old["polling"]),)))).tasks
    assert [task.id for task in wanted] == [old["polling"]]


async def test_the_attempts_became_a_timeline(old: dict[str, str], store: PlannedStore) -> None:
    lines = {state: [line.kind for line in await store.timeline(old[state])] for state in FLYING}
    assert lines == {
        "queued": [],
        "rendering": ["render"],
        "sending": ["submit"],
        "unknown": ["submit"],
        "polling": ["submit", "poll"],
        "fetching": ["submit"],
    }


async def test_the_work_goes_on_where_it_was(old: dict[str, str], store: PlannedStore, take: Take) -> None:
    assert [claim.task.id for claim in await take(Event.CLAIM_SUBMIT)] == [old["queued"]]
    assert [claim.task.id for claim in await take(Event.CLAIM_FETCH)] == [old["fetching"]]
    assert await take(Event.CLAIM_POLL) == []
    # An answer that the first release asked for is still taken.
    accepted = Step(event=Event.ACCEPTED, attempt=1, submission=1, upstream_ref="up", due=NOW)
    assert await store.step(old["sending"], accepted, NOW) is not None
    (poll,) = await take(Event.CLAIM_POLL)
    assert poll.schedule.accepted_at == NOW
    (ended,) = await store.expire(NOW + 60_001)
    assert (ended.id, ended.status) == (old["unknown"], Status.FAILED)
    seen = await store.reap(NOW + 30_001, reconcile_within=1)
    assert [task.id for task in seen] == [old["rendering"]]


async def test_opening_it_again_changes_nothing(
    old: dict[str, str], store: PlannedStore, another: Another
) -> None:
    before = await store.page(OWNER, Query())
    assert await (await another()).page(OWNER, Query()) == before


def test_a_file_of_the_first_release_has_no_later_table(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(database.removeprefix("sqlite:///"))
    FirstRelease(path, monkeypatch).close()
    names = {name for (name,) in sqlite3.connect(path).execute("select name from sqlite_master")}
    assert {"slot", "attempt"} <= names
    assert not {"pool", "timeline", "tally"} & names
