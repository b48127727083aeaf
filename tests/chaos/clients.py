"""The callers of a run: each order is created, followed to its end and tidied up by a coroutine."""

import asyncio
import hashlib
import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

from .caller import GENERATIONS, Answer, Caller, NeverAnswered
from .orders import Order
from .snapshot import TERMINAL
from .witness import Witness

_WAIT = 5  # s that one long poll holds
_CLOSED = 3.0  # s between two looks of a caller who only looks


class Client:
    """Carries out orders with one key."""

    def __init__(self, caller: Caller, witness: Witness, chance: random.Random, tag: str) -> None:
        self._caller = caller
        self.witness = witness
        self._chance = chance
        self._tag = tag

    async def carry_out(self, order: Order) -> None:
        """Create the task and follow it until it has ended, and is deleted if that is wished."""
        task = await self._create(order)
        if order.cancel_after is not None:
            await asyncio.sleep(order.cancel_after)
            await self._cancel(task["id"])
        await self.follow(order.follow, task["id"])
        if order.then == "delete":
            await self._delete(task["id"])
        elif order.then == "download":
            await self._download(task["id"])

    async def _create(self, order: Order) -> Mapping[str, Any]:
        key = f"{self._tag}-{order.number}"
        calls = [self._create_once(order, key) for _ in range(2 if order.twice else 1)]
        task, *_ = await asyncio.gather(*calls)
        return task

    async def _create_once(self, order: Order, key: str) -> Mapping[str, Any]:
        while True:
            answer = await self._caller.ask("POST", GENERATIONS, body=order.body, idempotency_key=key)
            if answer.status == 200:
                self.witness.created(key, answer.body)
                self.witness.answers["created"] += 1
                task: Mapping[str, Any] = answer.body
                return task
            self._unexpected("create", answer)
            await asyncio.sleep(1)

    async def follow(self, follow: str, task_id: str) -> None:
        """Until the task has ended."""
        if follow == "watch":
            await self._watch(task_id)
        else:
            await self._look(task_id, wait=_WAIT if follow == "wait" else 0)

    async def _look(self, task_id: str, wait: int) -> None:
        path = f"{GENERATIONS}/{task_id}" + (f"?wait={wait}" if wait else "")
        while True:
            answer = await self._caller.ask("GET", path, seconds=wait + 8)
            if answer.status == 404:
                self.witness.missing(task_id)
                return
            if answer.status != 200:
                self._unexpected("get", answer)
            else:
                self._saw(answer)
                if answer.body["status"] in TERMINAL:
                    return
            if not wait:
                await asyncio.sleep(self._chance.uniform(0.3, 1.0) * _CLOSED)

    async def _watch(self, task_id: str) -> None:
        time = asyncio.get_running_loop().time
        seen = 0
        while True:
            began = time()
            async for event in self._caller.watch(task_id, seen):
                ended = event.task["status"] in TERMINAL
                if event.version <= seen and not ended:
                    self.witness.wrong(f"{task_id}: event {event.version} came after {seen}")
                seen = max(seen, event.version)
                self.witness.saw(event.task, began, time(), event.version)
                self.witness.answers["events"] += 1
                if ended:
                    return
            await asyncio.sleep(0.2)
            answer = await self._caller.ask("GET", f"{GENERATIONS}/{task_id}")
            if answer.status == 404:
                self.witness.missing(task_id)
                return

    async def _cancel(self, task_id: str) -> None:
        answer = await self._caller.ask("POST", f"{GENERATIONS}/{task_id}/cancel")
        match answer.status:
            case 200:
                self._saw(answer)
            case 404:
                self.witness.missing(task_id)
            case 409:  # it had ended before
                pass
            case _:
                self._unexpected("cancel", answer)

    async def _delete(self, task_id: str) -> None:
        """Until it is gone: a task that is still being stopped upstream cannot be deleted yet."""
        while True:
            answer = await self._caller.ask("DELETE", f"{GENERATIONS}/{task_id}")
            if answer.status in {200, 404}:  # not found: an earlier try of this call did it
                break
            if answer.status != 409:
                self._unexpected("delete", answer)
                return
            await asyncio.sleep(1)
        self.witness.deleted.add(task_id)
        self.witness.answers["deleted"] += 1
        answer = await self._caller.ask("GET", f"{GENERATIONS}/{task_id}")
        if answer.status != 404:
            self.witness.wrong(f"{task_id} was deleted and is shown: {answer.status}")

    async def _download(self, task_id: str) -> None:
        if self.witness.endings[task_id][0].status != "succeeded":
            return
        for _ in range(20):
            video = await self._caller.download(f"{GENERATIONS}/{task_id}/content")
            if video is not None:
                self.witness.digests[task_id] = hashlib.sha256(video).hexdigest()
                self.witness.answers["downloaded"] += 1
                return
            await asyncio.sleep(0.5)

    def _saw(self, answer: Answer) -> None:
        self.witness.saw(answer.body, answer.began, asyncio.get_running_loop().time())

    def _unexpected(self, what: str, answer: Answer) -> None:
        self.witness.wrong(f"{what} was answered {answer.status}: {str(answer.body)[:300]}")


class Reader:
    """Walks through the list again and again, by cursor, as a dashboard would."""

    def __init__(self, caller: Caller, witness: Witness, pages: int = 10) -> None:
        self._caller = caller
        self.witness = witness
        self._pages = pages

    async def read(self) -> None:
        """For ever; a page shows each task once, newest first."""
        while True:
            await self._walk()
            await asyncio.sleep(2)

    async def _walk(self) -> None:
        last = "z"
        for _ in range(self._pages):
            cursor = f"&after={last}" if last != "z" else ""
            answer = await self._caller.ask("GET", f"{GENERATIONS}?limit=100{cursor}")
            if answer.status != 200:
                self.witness.wrong(f"list was answered {answer.status}: {str(answer.body)[:300]}")
                return
            now = asyncio.get_running_loop().time()
            for task in answer.body["data"]:
                if not task["id"] < last:
                    self.witness.wrong(f"the list shows {task['id']} after {last}")
                last = task["id"]
                self.witness.saw(task, answer.began, now)
            self.witness.answers["pages"] += 1
            if not answer.body["has_more"]:
                return


class Progress:
    """How far the orders of a run have come, in seconds of its plan: a slow machine is behind the clock."""

    def __init__(self) -> None:
        self._reached = 0.0
        self._moved = asyncio.Condition()

    async def reach(self, at: float) -> None:
        """Everything up to this time has been ordered."""
        async with self._moved:
            self._reached = at
            self._moved.notify_all()

    async def reached(self, at: float) -> None:
        """Wait until everything up to this time has been ordered."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._reached >= at)


async def carry_out_all(
    orders: Sequence[Order], clients: Mapping[str, Client], at_once: int, progress: Progress
) -> None:
    """Every order at its time, ``at_once`` of them in progress at most."""
    time = asyncio.get_running_loop().time
    began = time()
    places = asyncio.Semaphore(at_once)

    async def one(order: Order) -> None:
        try:
            await clients[order.caller].carry_out(order)
        except NeverAnswered as silence:
            clients[order.caller].witness.wrong(f"order {order.number}: {silence}")
        finally:
            places.release()

    try:
        async with asyncio.TaskGroup() as group:
            for order in orders:
                await asyncio.sleep(max(0.0, began + order.at - time()))
                await places.acquire()
                group.create_task(one(order))
                await progress.reach(order.at)
            await progress.reach(math.inf)
    finally:
        await progress.reach(math.inf)  # should this break off, nobody waits for it
