"""The plan of a claim: slot, lease and attempt token in one commit. The claim is the intent."""

import math
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from meshapi_server.tasks.life import Step
from meshapi_server.tasks.limits import UNLIMITED, PoolState, passed, room
from meshapi_server.tasks.ports import ONE_BY_ONE
from meshapi_server.tasks.states import CLAIMS, Event
from meshapi_server.tasks.task import Claim

from .moving import hold
from .plan import Plan, Read, Write, read, write_all
from .rows import read_pool

_BEGINNINGS = {Event.CLAIM_RENDER, Event.CLAIM_SUBMIT}
# The pool whose rate a claim's call counts against.
_PACED = {Event.CLAIM_SUBMIT: "upstream", Event.CLAIM_POLL: "polls"}


class Ask(Struct, frozen=True, kw_only=True):
    """A worker's wish for tasks. ``looks_at_once``: tasks of one call, where not one."""

    event: Event
    upstreams: tuple[str, ...]
    worker: str
    now: int
    lease_until: int
    limit: int
    looks_at_once: Mapping[str, int] = ONE_BY_ONE


class Candidate(Struct, frozen=True, order=True):
    """A task that could be taken; the least is the first. ``place`` is its rank, or when it is due."""

    place: int
    task_id: str
    upstream: str
    lane: str = ""


class Choice(Struct, frozen=True):
    """What to take, and the pools as they were read."""

    taken: list[Candidate]
    pools: Mapping[str, PoolState]


def choose(ask: Ask, *, lock: bool) -> Plan[Choice]:
    """What ``ask`` may take now, best first, within the pools. ``lock``: in order to take it."""
    if ask.event in _BEGINNINGS:
        return (yield from _choose_queued(ask, lock))
    return (yield from _choose_due(ask, lock))


def claim(ask: Ask, shard: int) -> Plan[list[Claim]]:
    """Choose, and take what was chosen."""
    choice = yield from choose(ask, lock=True)
    if not choice.taken:
        return []
    sheet = hold((yield from read("get_rows", ids=[each.task_id for each in choice.taken])))
    step = Step(event=ask.event, worker=ask.worker, lease_until=ask.lease_until)
    moves = [sheet.step(each.task_id, step, ask.now) for each in choice.taken]
    taken = [Claim(task=moved.task, schedule=moved.schedule) for moved in moves if moved is not None]
    yield from write_all(sheet.writes(shard))
    rates = _spent(ask, choice.pools, taken)
    if rates:
        yield Write("save_pool_rate", rates)
    return taken


def _choose_queued(ask: Ask, lock: bool) -> Plan[Choice]:
    rows = yield from read("busy_queues", upstreams=list(ask.upstreams))
    lanes: dict[str, list[str]] = {}
    for (upstream,) in rows:
        waiting = yield from read("queued_lanes", upstream=upstream)
        lanes[upstream] = [lane for (lane,) in waiting]
    names = {f"upstream:{upstream}" for upstream in lanes}
    names |= {lane for each in lanes.values() for lane in each if lane}
    pools = yield from _pools(names, lock)
    rooms = {name: room(pool, ask.now) for name, pool in pools.items()}
    found: list[Candidate] = []
    for upstream in lanes:
        for lane in lanes[upstream]:
            # An upstream nobody has set up takes nothing; a lane without a row has no limit.
            most = min(ask.limit, rooms.get(f"upstream:{upstream}", 0), rooms.get(lane, UNLIMITED))
            if most > 0:
                values = {"upstream": upstream, "lane": lane, "now": ask.now, "limit": most}
                queued = yield Read("queued_candidates", values, lock=lock)
                found += [Candidate(rank, task_id, upstream, lane) for rank, task_id in queued]
    return Choice(within(found, rooms, ask.limit), pools)


def _choose_due(ask: Ask, lock: bool) -> Plan[Choice]:
    state = {"state": str(CLAIMS[ask.event])}
    rows = yield Read("busy_upstreams", {"upstreams": list(ask.upstreams), "now": ask.now}, state)
    busy = [upstream for (upstream,) in rows]
    pools: Mapping[str, PoolState] = {}
    if ask.event is Event.CLAIM_POLL and busy:
        names = [f"polls:{upstream}" for upstream in busy]
        pools = yield from _pools(names, lock=False)
        if lock and any(pool.interval for pool in pools.values()):
            pools = yield from _pools(names, lock=True)
    found: list[Candidate] = []
    for upstream in busy:
        pool = pools.get(f"polls:{upstream}")
        calls = ask.limit if pool is None else room(pool, ask.now)
        most = min(ask.limit, calls * ask.looks_at_once.get(upstream, 1))
        if most > 0:
            values = {"upstream": upstream, "now": ask.now, "limit": most}
            due = yield Read("due_candidates", values, state, lock=lock)
            found += [Candidate(when, task_id, upstream) for when, task_id in due]
    return Choice(sorted(found)[: ask.limit], pools)


def _pools(names: Iterable[str], lock: bool) -> Plan[dict[str, PoolState]]:
    wanted = sorted(names)
    if not wanted:
        return {}
    rows = yield Read("get_pools", {"names": wanted}, lock=lock)
    return {pool.name: pool for pool in map(read_pool, rows)}


def within(found: Iterable[Candidate], rooms: Mapping[str, int], limit: int) -> list[Candidate]:
    """The best of ``found`` that fit into their upstream's and their lane's room; a lane spans upstreams."""
    left = dict(rooms)
    taken: list[Candidate] = []
    for each in sorted(found):
        names = [name for name in (f"upstream:{each.upstream}", each.lane) if name in left]
        if len(taken) < limit and all(left[name] > 0 for name in names):
            taken.append(each)
            for name in names:
                left[name] -= 1
    return taken


def _spent(ask: Ask, pools: Mapping[str, PoolState], taken: Sequence[Claim]) -> list[dict[str, object]]:
    """What the calls that these claims will make cost the rates of their pools."""
    prefix = _PACED.get(ask.event)
    if prefix is None:
        return []
    tasks: dict[str, int] = {}
    for each in taken:
        tasks[each.schedule.upstream] = tasks.get(each.schedule.upstream, 0) + 1
    calls = {
        f"{prefix}:{upstream}": math.ceil(count / ask.looks_at_once.get(upstream, 1))
        for upstream, count in tasks.items()
    }
    after = [passed(pools[name], calls[name], ask.now) for name in sorted(calls) if name in pools]
    return [{"name": pool.name, "full_at": pool.full_at} for pool in after if pool is not pools[pool.name]]
