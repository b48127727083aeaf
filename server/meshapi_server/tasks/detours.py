"""Tasks that wait for an upstream which is paused move on to their next route, if that one is free.

The task that meets a refusal moves on by itself (submission.py); these are the ones behind it in the queue.
A queued task is one that no upstream has accepted, nor may have: whatever was lost on the way is ``unknown``.
"""

from collections.abc import Mapping, Sequence

from .limits import UNLIMITED, PoolState, room
from .ports import Detour, Store, Waiting
from .task import Task

SHORT = 10_000  # ms; for so long a task waits rather than go where it may cost more
_AT_ONCE = 500  # waiting tasks that are looked at for one upstream in one turn
BEGINNING = (-1, "")  # before every place in a queue


class Detours:
    """Finds tasks that had better go elsewhere. ``upstreams`` are those that this worker can ask.

    A long queue is walked through in several turns, and from its beginning again.
    """

    def __init__(self, store: Store, upstreams: Sequence[str]) -> None:
        self._store = store
        self._upstreams = tuple(upstreams)
        self._reached: dict[str, tuple[int, str]] = {}

    async def take(self, now: int) -> Sequence[Task]:
        """Move on as many tasks as other upstreams and their keys have room for; returns those that moved."""
        pools = await self._store.pools([_pool(each) for each in self._upstreams])
        paused = [each for each in self._upstreams if _is_paused(pools.get(_pool(each)), now)]
        if not paused:
            self._reached.clear()
            return ()
        waiting = {each: await self._walk(each, now) for each in paused}
        free = await self._free(waiting, pools, now)
        if not free:
            return ()
        lanes = {each.lane for tasks in waiting.values() for each in tasks if each.lane}
        of_keys = await self._store.pools(sorted(lanes)) if lanes else {}
        rooms = free | {name: room(pool, now) for name, pool in of_keys.items()}
        wishes = wanted(waiting, rooms)
        return await self._store.detour(wishes, now) if wishes else ()

    async def _walk(self, upstream: str, now: int) -> Sequence[Waiting]:
        after = self._reached.get(upstream, BEGINNING)
        found = await self._store.waiting(upstream, after, now, _AT_ONCE)
        last = found[-1] if len(found) == _AT_ONCE else None
        self._reached[upstream] = (last.rank, last.task_id) if last is not None else BEGINNING
        return found

    async def _free(
        self, waiting: Mapping[str, Sequence[Waiting]], pools: Mapping[str, PoolState], now: int
    ) -> dict[str, int]:
        """The room of upstreams to which somebody could go, and for which nobody waits already."""
        further = {
            route.upstream
            for tasks in waiting.values()
            for each in tasks
            for route in each.routes[each.route + 1 :]
        }
        found: dict[str, int] = {}
        for upstream in sorted(further & set(self._upstreams)):
            pool = pools.get(_pool(upstream))
            most = room(pool, now) if pool is not None else 0
            if most > 0 and not await self._store.waiting(upstream, BEGINNING, now, 1):
                found[_pool(upstream)] = most
        return found


def wanted(waiting: Mapping[str, Sequence[Waiting]], rooms: Mapping[str, int]) -> list[Detour]:
    """Who of those that wait for upstreams goes where, in their order. ``rooms`` are those of pools."""
    left = dict(rooms)
    wishes: list[Detour] = []
    for upstream, tasks in waiting.items():
        for each in tasks:
            to = _first_with_room(each, left)
            if to is None or left.get(each.lane, UNLIMITED) <= 0:
                continue
            for pool in {_pool(each.routes[to].upstream), each.lane} & left.keys():
                left[pool] -= 1
            wishes.append(Detour(task_id=each.task_id, upstream=upstream, route=each.route, to=to))
    return wishes


def _first_with_room(waiting: Waiting, left: Mapping[str, int]) -> int | None:
    further = range(waiting.route + 1, len(waiting.routes))
    return next((to for to in further if left.get(_pool(waiting.routes[to].upstream), 0) > 0), None)


def _is_paused(pool: PoolState | None, now: int) -> bool:
    return pool is not None and pool.paused_until > now + SHORT


def _pool(upstream: str) -> str:
    return f"upstream:{upstream}"
