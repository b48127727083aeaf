"""The plans that move tasks along: steps, cancels, lost leases, what is overdue."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from meshapi_server.tasks.life import UNKNOWN_SUBMISSION, Step
from meshapi_server.tasks.ports import Detour
from meshapi_server.tasks.states import Event, State
from meshapi_server.tasks.task import Outcome, Schedule, Task

from .announcing import announce
from .plan import Plan, Read, Relax, Row, Write, read, write_all
from .rows import read_held, read_task
from .sheet import CANCEL, Sheet
from .tally import bucket_of, tally_rows

AT_ONCE = 500  # rows that one transaction of the housekeeping takes


class Move(Struct, frozen=True, kw_only=True):
    """A step that somebody asks for. ``owner`` limits whose task it may be."""

    task_id: str
    step: Step
    now: int
    owner: str | None = None


class Announced(Struct, frozen=True, kw_only=True):
    """An upstream's word that a task of it changed."""

    task_id: str
    now: int


def apply(moves: Sequence[Move], shard: int) -> Plan[list[Task | None]]:
    """Apply steps, in order; None for each that changed nothing."""
    sheet = yield from _hold([move.task_id for move in moves])
    moved = [sheet.step(move.task_id, move.step, move.now, move.owner) for move in moves]
    yield from _save(sheet, shard)
    return [each.task if each is not None else None for each in moved]


def cancel(owner: str, task_id: str, now: int, shard: int) -> Plan[Task | None]:
    """End the owner's task by CANCELLED; while it is being sent, note the wish and return None."""
    sheet = yield from _hold([task_id])
    moved = sheet.step(task_id, CANCEL, now, owner)
    if moved is None:
        sheet.wish_cancel(task_id, owner)
    yield from _save(sheet, shard)
    return moved.task if moved is not None else None


class Found(Struct, frozen=True):
    """What a round of housekeeping did: the tasks whose callers see a change, and whether more is left."""

    seen: list[Task]
    more: bool


def reap(leases: Read, now: int, reconcile_within: int, shard: int) -> Plan[Found]:
    """Free the leases that ``leases`` finds."""
    lost = Step(event=Event.LEASE_LOST, due=now, give_up_at=now + reconcile_within)
    return (yield from _each(leases, lambda _: lost, now, shard))


def expire(overdue: Read, now: int, shard: int) -> Plan[Found]:
    """End tasks that are past their time."""
    return (yield from _each(overdue, lambda _: Step(event=Event.EXPIRED), now, shard))


def give_up(overdue: Read, now: int, shard: int) -> Plan[Found]:
    """Give up unknown submissions and cancels that are past their deadline."""
    return (yield from _each(overdue, _last_step, now, shard))


def detour(wishes: Sequence[Detour], now: int, shard: int) -> Plan[list[Task]]:
    """Move tasks on that still wait as their wish says; what was claimed meanwhile stays where it is."""
    ids = [wish.task_id for wish in wishes]
    yield Read("lock_schedules", {"ids": ids}, lock=True)
    held = {
        task.id: (schedule, task) for schedule, task in map(read_held, (yield from read("get_rows", ids=ids)))
    }
    sheet = Sheet(held.values())
    moved: list[Task] = []
    for wish in wishes:
        if wish.task_id in held and _waits(held[wish.task_id][0], wish):
            steps = [sheet.step(wish.task_id, _onward(now), now) for _ in range(wish.to - wish.route)]
            moved += [each.task for each in steps[-1:] if each is not None]
    yield from _save(sheet, shard)
    return moved


def delete(owner: str, task_id: str, now: int, shard: int) -> Plan[Task | None]:
    """Remove an ended task with all that belongs to it, and note that its files are to go."""
    if not (yield from read("get_task", owner=owner, id=task_id)):
        return None
    yield from read("note_deleted", ids=[task_id], now=now)
    rows = yield from read("delete_ended_task", owner=owner, id=task_id)
    if not rows:
        return None
    task = read_task(rows[0])
    yield Write("add_tally", tally_rows({bucket_of(task): -1}, shard))
    return task


def wake(announced: Sequence[Announced]) -> Plan[list[bool]]:
    """Have tasks looked at now; False for each that nobody waits for. The looks happen anyway, only later."""
    ids = sorted({each.task_id for each in announced})
    yield Read("lock_schedules", {"ids": ids}, lock=True)
    rows = yield Read("wake", {"ids": ids, "now": max(each.now for each in announced)})
    yield Relax()
    woken = {row[0] for row in rows}
    return [each.task_id in woken for each in announced]


def leases(now: int, *, every: bool) -> Read:
    """What finds lost leases, or every lease."""
    values = {"most": AT_ONCE} if every else {"now": now, "most": AT_ONCE}
    return Read("all_leases" if every else "expired_leases", values, lock=True)


def expired(now: int) -> Read:
    """What finds tasks that are past their time."""
    return Read("expired_tasks", {"now": now, "most": AT_ONCE}, lock=True)


def given_up(now: int) -> Read:
    """What finds submissions and cancels that nobody waits for any longer."""
    return Read("given_up", {"now": now, "most": AT_ONCE}, lock=True)


def peek(query: Read) -> Plan[bool]:
    """Whether ``query`` finds anything, without locking it."""
    return bool((yield Read(query.name, {**query.values, "most": 1}, query.words)))


def hold(rows: Sequence[Row]) -> Sheet:
    """A sheet of the rows of ``get_rows``."""
    return Sheet(map(read_held, rows))


def _waits(schedule: Schedule, wish: Detour) -> bool:
    return (
        schedule.state is State.QUEUED
        and schedule.worker is None
        and (schedule.upstream, schedule.route) == (wish.upstream, wish.route)
    )


def _onward(now: int) -> Step:
    return Step(event=Event.REROUTED, due=now)


def _last_step(state: State) -> Step:
    if state is State.UNKNOWN:
        return Step(event=Event.FAILED, outcome=Outcome(error=UNKNOWN_SUBMISSION))
    return Step(event=Event.LET_GO)


def _each(query: Read, step: Callable[[State], Step], now: int, shard: int) -> Plan[Found]:
    """Apply what ``step`` says of its state to each task that ``query`` finds and locks."""
    found = yield query
    ids = [row[0] for row in found]
    if not ids:
        return Found([], more=False)
    rows = yield from read("get_rows", ids=ids)
    held = [read_held(row) for row in rows]
    sheet = Sheet(held)
    moved = [sheet.step(task.id, step(schedule.state), now) for schedule, task in held]
    yield from _save(sheet, shard)
    seen = [each.task for each in moved if each is not None and each.visible]
    return Found(seen, more=len(ids) == AT_ONCE and any(moved))


def _hold(ids: Sequence[str]) -> Plan[Sheet]:
    wanted = list(dict.fromkeys(ids))
    yield Read("lock_schedules", {"ids": wanted}, lock=True)
    return hold((yield from read("get_rows", ids=wanted)))


def _save(sheet: Sheet, shard: int) -> Plan[None]:
    yield from write_all(sheet.writes(shard))
    yield from announce(sheet.ended())
    if sheet.only_looked():
        yield Relax()
