"""A whole run: callers, mayhem and a watcher at once, then calm, then the audit."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from tests.upstreams.fake import read_log

from . import audit, books, mayhem, orders, snapshot
from .caller import Caller
from .clients import Client, Progress, Reader, carry_out_all
from .cluster import Cluster, Key, Plan, cluster
from .member import DrainFailed
from .snapshot import End
from .witness import Witness

_LANE = 5  # tasks that the caller with a limit of its own may have at upstreams at once
_LOOK_EVERY = 0.4  # s
_TOLD_EVERY = 10.0  # s
_ORPHANS_END = 10.0  # s within which a renderer must notice that its server is gone
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What to run. ``seconds`` is how long orders come and blows fall; ``calm`` the deadline afterwards."""

    database: str
    tasks: int
    kills: int
    seconds: float
    seed: int
    renders: int
    calm: float = 300.0
    at_once: int = 250
    plan: Plan


@dataclass(kw_only=True)
class Outcome:
    """What came of it: violations, and figures for the table."""

    violations: list[str] = field(default_factory=list)
    figures: dict[str, object] = field(default_factory=dict)
    acts: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    served: frozenset[str] = frozenset()  # the models of which a task succeeded


class Watcher:
    """Looks at the database again and again while everything is on fire."""

    def __init__(self, cluster: Cluster, say: Say) -> None:
        self._paid = frozenset(seller.upstream for seller in cluster.plan.sellers)
        self.violations: dict[str, None] = {}  # as a set that keeps the order
        self.looks = 0
        self.most_in_flight = 0
        self._cluster = cluster
        self._say = say
        self._ends: dict[str, End] = {}
        self._told = time.monotonic()

    async def watch(self) -> None:
        """For ever."""
        while True:
            look = await self.look()
            if time.monotonic() - self._told > _TOLD_EVERY:
                await self._tell(look)
            await asyncio.sleep(_LOOK_EVERY)

    async def look(self) -> snapshot.Moment:
        """One look at what is in flight."""
        look = await snapshot.moment(self._cluster.database)
        self.looks += 1
        self.most_in_flight = max(self.most_in_flight, len(look.schedules))
        self._note([*audit.at_any_moment(look), *books.at_any_moment(look, self._paid)])
        return look

    async def _tell(self, look: snapshot.Moment) -> None:
        """Check what has ended against all that had ended before, and say how far it is."""
        self._told = time.monotonic()
        ends = await snapshot.ends(self._cluster.database)
        self._note(audit.between(self._ends, ends))
        self._ends = ends | self._ends
        states = Counter(row.state for row in look.schedules)
        told = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "nothing"
        self._say(f"{len(self._ends)} ended; in flight: {told}")

    def _note(self, violations: list[str]) -> None:
        for violation in violations:
            if violation not in self.violations:
                self.violations[violation] = None
                self._say(f"VIOLATION {violation}")


async def run(wish: Wish, folder: Path, say: Say) -> Outcome:
    """Run it all in a fresh ``folder``."""
    outcome = Outcome()
    witness = Witness()
    with cluster(folder, wish.plan) as made:
        keys = await asyncio.to_thread(_keys, made)
        say(f"starting {', '.join(member.name for member in made.members)}")
        await asyncio.to_thread(made.start)
        await _ride(wish, made, keys, witness, outcome, say)
        try:
            await asyncio.to_thread(made.stop)
        except DrainFailed as failure:
            outcome.violations.append(str(failure))
        await _audit(made, witness, outcome)
    return outcome


def _keys(made: Cluster) -> Mapping[str, Key]:
    owner = made.create_key("owner")
    return {
        "owner": owner,
        "stranger": made.create_key("stranger"),
        "limited": made.create_key("limited", owner=owner.owner, concurrency=_LANE),
    }


async def _ride(
    wish: Wish, made: Cluster, keys: Mapping[str, Key], witness: Witness, outcome: Outcome, say: Say
) -> None:
    began = time.monotonic()
    watcher, disaster = Watcher(made, say), mayhem.Mayhem(made)
    acts = mayhem.draw(
        wish.seed, wish.kills, wish.seconds, shared=made.database.shared, lease=wish.plan.lease
    )
    shares = orders.shares(wish.plan.sellers)
    wanted = orders.draw(wish.seed, wish.tasks, wish.seconds, wish.renders, shares)
    async with _callers(made, keys, witness, wish.seed) as callers:
        clients = {
            name: Client(caller, witness, random.Random(f"client {wish.seed} {name}"), f"run-{wish.seed}")
            for name, caller in callers.items()
        }
        readers = [Reader(callers[name], witness).read() for name in ("owner", "stranger")]
        async with _background(watcher.watch(), *readers):
            progress = Progress()
            served = asyncio.create_task(carry_out_all(wanted, clients, wish.at_once, progress))
            await disaster.carry_out(acts, progress)
            say(f"all {sum(disaster.done[kind] for kind in mayhem.KILLS)} kills done, the upstream is calm")
            calm_since = time.monotonic()
            try:
                await asyncio.wait_for(served, wish.calm)
            except TimeoutError:
                outcome.violations.append(f"callers still wait {wish.calm:.0f} s after the mayhem ended")
            while (await watcher.look()).schedules and time.monotonic() < calm_since + wish.calm:
                await disaster.raise_fallen()
                await asyncio.sleep(0.5)
    outcome.violations += [*disaster.violations, *watcher.violations]
    outcome.acts = disaster.done
    outcome.figures = {
        "seconds of orders and mayhem": round(calm_since - began, 1),
        "seconds until all was still": round(time.monotonic() - calm_since, 1),
        "looks into the database": watcher.looks,
        "most tasks in flight": watcher.most_in_flight,
    }


async def _audit(made: Cluster, witness: Witness, outcome: Outcome) -> None:
    orphans = await asyncio.to_thread(_orphans, made)
    entries = await asyncio.to_thread(read_log, made.upstream.log)
    evidence = audit.Evidence(
        whole=await snapshot.whole(made.database),
        entries=entries,
        witness=witness,
        files=made.data / "files",
        orphans=orphans,
        paid=frozenset(seller.upstream for seller in made.plan.sellers),
    )
    outcome.violations += await asyncio.to_thread(audit.in_the_end, evidence)
    tasks = evidence.whole.tasks.values()
    outcome.ends = Counter(f"{row.status} {row.error_code or ''}".strip() for row in tasks)
    outcome.served = frozenset(row.model for row in tasks if row.status == "succeeded")
    per_task = Counter((entry.token or "").partition(".")[0] for entry in entries)
    kinds = Counter(line.kind for lines in evidence.whole.attempts.values() for line in lines)
    lost = sum(line.result == "lease_lost" for lines in evidence.whole.attempts.values() for line in lines)
    outcome.figures |= {
        "creates answered 200": witness.answers["created"],
        "tasks accepted": len(set(witness.ids.values())),
        "tasks deleted by callers": len(witness.deleted),
        "tasks in the database": len(evidence.whole.tasks),
        "in flight at the end": len(evidence.whole.schedules),
        "orders accepted by paid upstreams": len(entries),
        **books.figures(evidence.whole.money),
        "tasks accepted more than once": sum(count > 1 for count in per_task.values()),
        "attempts: render, submit, reconcile, fetch, cancel": tuple(
            kinds[kind] for kind in ("render", "submit", "reconcile", "fetch", "cancel")
        ),
        "attempts whose worker was lost": lost,
        "sights of tasks by callers": witness.sights,
        "events, list pages, downloads": tuple(
            witness.answers[name] for name in ("events", "pages", "downloaded")
        ),
        "calls that had to be repeated": witness.answers["asked again"],
        "renderers of killed servers": sum(len(member.renderers) for member in made.members),
    }


def _orphans(made: Cluster) -> list[int]:
    """Renderers that their servers' end did not end, after a while."""
    deadline = time.monotonic() + _ORPHANS_END
    while True:
        found = [pid for member in made.members for pid in member.orphans()]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


@contextlib.asynccontextmanager
async def _callers(
    made: Cluster, keys: Mapping[str, Key], witness: Witness, seed: int
) -> AsyncIterator[Mapping[str, Caller]]:
    bases = [member.base_url for member in made.apis]
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, trust_env=False) as session:
        yield {
            name: Caller(session, bases, key.secret, witness, random.Random(f"caller {seed} {name}"))
            for name, key in keys.items()
        }


@contextlib.asynccontextmanager
async def _background(*work: object) -> AsyncIterator[None]:
    running = [asyncio.ensure_future(each) for each in work]  # type: ignore[call-overload]
    try:
        yield
        for task in running:
            if task.done():
                task.result()  # it must not have ended: say why
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
