"""A started cluster with one caller: what the tests of single promises play on."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import aiohttp
from tests.upstreams.fake import read_log

from . import snapshot
from .caller import GENERATIONS, Caller
from .cluster import Cluster
from .mayhem import CALM
from .snapshot import TERMINAL, AttemptRow, Moment, ScheduleRow, Whole
from .witness import Witness

_DEADLINE = 90.0  # s for whatever is waited for; a busy machine is slow, not wrong


class Stage:
    """The cluster, a caller with an unlimited key, and ways to wait for what must come."""

    def __init__(self, cluster: Cluster, session: aiohttp.ClientSession, owner: str, caller: Caller) -> None:
        self.cluster = cluster
        self.caller = caller
        self._session = session
        self._owner = owner

    async def limited(self, concurrency: int) -> Caller:
        """A caller of the same owner, whose key may have so many tasks at upstreams at once."""
        key = await asyncio.to_thread(
            lambda: self.cluster.create_key("limited", owner=self._owner, concurrency=concurrency)
        )
        return _caller(self.cluster, self._session, key.secret)

    async def with_budget(self, dollars: str) -> Caller:
        """A caller of the same owner, whose key may spend so much."""
        key = await asyncio.to_thread(
            lambda: self.cluster.create_key("budget", owner=self._owner, budget=dollars)
        )
        return _caller(self.cluster, self._session, key.secret)

    async def control(self, **changes: Any) -> Mapping[str, Any]:
        """Tell the upstream how to behave; its state."""
        return await asyncio.to_thread(lambda: self.cluster.upstream.control(**changes))

    async def create(self, model: str, count: int = 1, caller: Caller | None = None) -> list[str]:
        """New tasks of a model, created at whatever replicas; their ids."""

        async def one(number: int) -> str:
            text = [{"type": "text", "text": f"{model} {number}"}]
            body = {"model": model, "content": text}
            answer = await (caller or self.caller).ask("POST", GENERATIONS, body=body)
            assert answer.status == 200, answer
            return str(answer.body["id"])

        return list(await asyncio.gather(*map(one, range(count))))

    async def ended(self, task_id: str, base: str | None = None) -> Mapping[str, Any]:
        """The task when it has ended, as a long poll tells it."""
        deadline = time.monotonic() + _DEADLINE
        while True:
            answer = await self.caller.ask("GET", f"{GENERATIONS}/{task_id}?wait=10", seconds=30, base=base)
            assert answer.status == 200, answer
            task: Mapping[str, Any] = answer.body
            if task["status"] in TERMINAL:
                return task
            assert time.monotonic() < deadline, task

    async def all_ended(self, task_ids: Sequence[str]) -> list[Mapping[str, Any]]:
        """The tasks when all of them have ended."""
        return list(await asyncio.gather(*map(self.ended, task_ids)))

    async def moment(self) -> Moment:
        """What is in flight now."""
        return await snapshot.moment(self.cluster.database)

    async def whole(self) -> Whole:
        """All that is stored now of this caller's owner."""
        found = await snapshot.whole(self.cluster.database)
        tasks = {task_id: row for task_id, row in found.tasks.items() if row.owner == self._owner}
        attempts = {task_id: lines for task_id, lines in found.attempts.items() if task_id in tasks}
        return replace(found, tasks=tasks, attempts=attempts)

    async def until(self, holds: Callable[[Moment], bool]) -> Moment:
        """The first look for which ``holds`` is true."""
        deadline = time.monotonic() + _DEADLINE
        while not holds(look := await self.moment()):
            assert time.monotonic() < deadline, Counter(row.state for row in look.schedules)
            await asyncio.sleep(0.05)
        return look

    def accepted(self) -> Counter[str]:
        """How often the paid upstreams accepted each task."""
        entries = read_log(self.cluster.upstream.log)
        return Counter((entry.token or "").partition(".")[0] for entry in entries)


@contextlib.asynccontextmanager
async def stage(cluster: Cluster) -> AsyncIterator[Stage]:
    """A caller who owns nothing yet, before a cluster that runs and whose upstream is well."""
    key = await asyncio.to_thread(cluster.create_key, "caller")
    await asyncio.to_thread(lambda: cluster.upstream.control(**CALM))
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, trust_env=False) as session:
        yield Stage(cluster, session, key.owner, _caller(cluster, session, key.secret))


@contextlib.asynccontextmanager
async def started(cluster: Cluster) -> AsyncIterator[Stage]:
    """The same with the cluster started before and drained afterwards; each process must drain well."""
    await asyncio.to_thread(cluster.start)
    async with stage(cluster) as made:
        yield made
    await asyncio.to_thread(cluster.stop)


def _caller(cluster: Cluster, session: aiohttp.ClientSession, secret: str) -> Caller:
    bases = [member.base_url for member in cluster.apis]
    return Caller(session, bases, secret, Witness(), random.Random(1))


def held_by(look: Moment, pid: int) -> list[ScheduleRow]:
    """The rows that a worker, known by the process it runs in, has claimed."""
    return [row for row in look.schedules if row.worker and row.worker.startswith(f"{pid}-")]


def following(whole: Whole, row: ScheduleRow) -> AttemptRow | None:
    """The first line of a task's timeline that is younger than the claim in ``row``."""
    younger = (line for line in whole.attempts.get(row.id, ()) if line.attempt > row.attempt)
    return min((line for line in younger if line.kind != "poll"), key=lambda line: line.attempt, default=None)
