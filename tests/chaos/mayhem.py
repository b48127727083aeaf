"""What is done to a cluster, and when: drawn from a seed, then carried out by the clock."""

import asyncio
import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .clients import Progress
from .cluster import Cluster
from .member import DrainFailed, Member, StartFailed

Kind = Literal[
    "kill worker",
    "kill api",
    "freeze worker",
    "freeze api",
    "drain",
    "restart database",
    "crash database",
    "storm",
]
KILLS = frozenset({"kill worker", "kill api"})

# For one act of each kill, how many of the others there are.
_SHARED: Mapping[Kind, float] = {
    "freeze worker": 0.12,
    "freeze api": 0.06,
    "drain": 0.10,
    "restart database": 0.04,
    "crash database": 0.04,
    "storm": 0.06,
}
_EMBEDDED: Mapping[Kind, float] = {"freeze worker": 0.12, "drain": 0.10, "storm": 0.06}
_WORKERS_SHARE = 0.7  # of the kills; the rest hits API processes
_STORM = 4.0  # s

# What a paid upstream does on an ordinary day of a run, and in a storm; the calm is nothing at all.
ORDINARY: Mapping[str, Any] = {
    "latency": (0.005, 0.12),
    "queued": 0.3,
    "running": 1.2,
    "retry_after": 1.0,
    "chances": {
        "rate_limited": 0.02,
        "overloaded": 0.02,
        "error_before": 0.01,
        "reset_before": 0.01,
        "bad_gateway_after": 0.015,
        "error_after": 0.01,
        "hang_after": 0.01,
        "reset_after": 0.015,
        "cut_after": 0.01,
        "garbled_after": 0.01,
        "invalid": 0.005,
        "moderated_input": 0.01,
        "lost": 0.01,
        "strange_status": 0.05,
        "moderated_output": 0.01,
        "fails": 0.02,
        "cut_download": 0.04,
        "no_result": 0.01,
    },
    "look_chances": {
        "rate_limited": 0.01,
        "overloaded": 0.01,
        "bad_gateway": 0.02,
        "reset": 0.02,
        "hang": 0.005,
        "garbled": 0.01,
    },
    "callbacks": {"twice": 0.2, "held": 0.2, "held_for": 4.0},
}
_STORMY: Mapping[str, Any] = {
    "chances": {"overloaded": 0.3, "rate_limited": 0.2, "bad_gateway_after": 0.1, "hang_after": 0.05},
    "look_chances": {"bad_gateway": 0.3, "reset": 0.2, "hang": 0.05},
}
CALM: Mapping[str, Any] = {
    "latency": (0.0, 0.0),
    "queued": 0.0,
    "running": 0.2,
    "chances": {},
    "look_chances": {},
    "callbacks": {},
}


@dataclass(frozen=True)
class Act:
    """One blow, ``at`` seconds from the beginning, for ``pause`` seconds. ``target`` picks the member."""

    at: float
    kind: Kind
    target: int
    pause: float


def draw(seed: int, kills: int, seconds: float, *, shared: bool, lease: float) -> Sequence[Act]:
    """The acts of a run: ``kills`` SIGKILLs within ``seconds``, and the others in proportion.

    A frozen process stays so for longer than its lease; a killed one is away for a moment.
    """
    chance = random.Random(f"mayhem {seed}")
    others = _SHARED if shared else _EMBEDDED
    kinds: list[Kind] = [
        "kill worker" if chance.random() < _WORKERS_SHARE or not shared else "kill api" for _ in range(kills)
    ]
    for kind, share in others.items():
        kinds += [kind] * max(1, round(kills * share))
    chance.shuffle(kinds)
    # One act in each of as many equal stretches of time, somewhere in it.
    stretch = seconds / len(kinds)
    return [
        Act(
            at=(number + chance.random()) * stretch,
            kind=kind,
            target=chance.randrange(1_000),
            pause=chance.uniform(lease + 0.5, lease + 3) if "freeze" in kind else chance.uniform(0, 0.8),
        )
        for number, kind in enumerate(kinds)
    ]


class Mayhem:
    """Carries acts out on a cluster and counts them. ``violations`` are processes that fell by themselves."""

    def __init__(self, cluster: Cluster) -> None:
        self.done: Counter[str] = Counter()
        self.violations: list[str] = []
        self._cluster = cluster
        self._busy = {member.name: asyncio.Lock() for member in cluster.members}
        self._database = asyncio.Lock()

    async def carry_out(self, acts: Sequence[Act], progress: Progress) -> None:
        """Every act when the orders have come so far; then everything is made to run, and the upstream calm.

        Returns when all orders have been placed, too: none of them is spared.
        """
        await self.control(**ORDINARY)
        async with asyncio.TaskGroup() as group:
            for act in acts:
                await progress.reached(act.at)
                group.create_task(self._carry_out(act))
        await progress.reached(math.inf)
        await self.control(**CALM)
        await self.raise_fallen()

    async def control(self, **changes: Any) -> None:
        """Tell the upstream how to behave."""
        await asyncio.to_thread(lambda: self._cluster.upstream.control(**changes))

    async def raise_fallen(self) -> None:
        """Start what ended though nobody told it to, as a supervisor would, and note it."""
        for member in self._cluster.members:
            async with self._busy[member.name]:
                if member.fallen is not None:
                    self.violations.append(f"{member.name} fell with exit status {member.fallen}")
                    await self._start(member)

    async def _carry_out(self, act: Act) -> None:
        match act.kind:
            case "restart database" | "crash database":
                await self._fail_database(act.kind)
            case "storm":
                await self.control(**_STORMY)
                await asyncio.sleep(_STORM)
                await self.control(**ORDINARY)
            case "drain":
                await self._hit(act, self._cluster.members)
            case "kill api" | "freeze api":
                await self._hit(act, self._cluster.apis)
            case _:
                await self._hit(act, self._cluster.workers)
        self.done[act.kind] += 1

    async def _hit(self, act: Act, members: Sequence[Member]) -> None:
        member = members[act.target % len(members)]
        async with self._busy[member.name]:
            if member.fallen is not None:
                return  # noted, and started again, by raise_fallen
            if act.kind in {"freeze worker", "freeze api"}:
                member.freeze()
                await asyncio.sleep(act.pause)
                member.thaw()
                return
            if act.kind == "drain":
                await self._drain(member)
            else:
                await asyncio.to_thread(member.kill)
            await asyncio.sleep(act.pause)
            await self._start(member)

    async def _drain(self, member: Member) -> None:
        try:
            await asyncio.to_thread(member.drain)
        except DrainFailed as failure:
            self.violations.append(str(failure))

    async def _start(self, member: Member) -> None:
        """As a supervisor does: again, when it could not start because its database was away."""
        for _ in range(40):
            try:
                await asyncio.to_thread(member.start)
                return
            except StartFailed as failure:
                self.done["start failed"] += 1
                last = failure
                await asyncio.sleep(0.5)
        raise last

    async def _fail_database(self, kind: Kind) -> None:
        async with self._database:
            fail = (
                self._cluster.database.restart if kind == "restart database" else self._cluster.database.crash
            )
            await asyncio.to_thread(fail)
