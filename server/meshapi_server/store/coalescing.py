"""Many callers, one transaction: what waits while a transaction runs goes into the next one together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from msgspec import Struct

from .faults import DatabaseDown

Operation = TypeVar("Operation")
Result = TypeVar("Result")

_TURNS = 3  # of the event loop, in which callers that were just answered may come again, together


class _Waiting(Struct, Generic[Operation, Result], frozen=True):
    operation: Operation
    future: "asyncio.Future[Result]"


class Coalescer(Generic[Operation, Result]):
    """Hands operations, in order, to ``serve``, which commits them all or raises.

    The first one goes alone and at once; those that come while it is served go together. An operation that
    is refused by the database is found by trying each of its group alone: it harms nobody but its caller.
    """

    def __init__(
        self, serve: Callable[[Sequence[Operation]], Awaitable[Sequence[Result]]], at_once: int = 256
    ) -> None:
        self._serve = serve
        self._at_once = at_once
        self._waiting: list[_Waiting[Operation, Result]] = []
        self._busy = False
        self._runner: asyncio.Task[None] | None = None
        self._closed = False
        self._idle = asyncio.Event()

    async def submit(self, operation: Operation) -> Result:
        """The operation's result, after its commit. A caller that is cancelled does not undo it."""
        if self._closed:
            raise RuntimeError("the database is closed")
        if self._busy:
            future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
            self._waiting.append(_Waiting(operation, future))
            return await future
        self._busy = True
        try:
            (result,) = await self._serve([operation])
            return result
        finally:
            self._go_on()

    async def close(self) -> None:
        """Finish what waits; nothing is accepted any more."""
        self._closed = True
        if self._busy:
            await self._idle.wait()

    def _go_on(self) -> None:
        if self._waiting:
            self._runner = asyncio.create_task(self._run())
        else:
            self._rest()

    def _rest(self) -> None:
        self._busy = False
        self._idle.set()

    async def _run(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[: self._at_once], self._waiting[self._at_once :]
            await self._settle(group)
            for _ in range(_TURNS):
                if not self._waiting:
                    await asyncio.sleep(0)
        self._rest()

    async def _settle(self, group: list[_Waiting[Operation, Result]]) -> None:
        try:
            results = await self._serve([each.operation for each in group])
        except Exception as fault:  # noqa: BLE001 - handed to the callers whose work it was
            if len(group) > 1 and not isinstance(fault, DatabaseDown):
                for each in group:
                    await self._settle([each])
                return
            _deliver(group, [fault] * len(group))
        else:
            _deliver(group, results)


def _deliver(group: Sequence[_Waiting[Any, Any]], results: Sequence[Any]) -> None:
    for each, result in zip(group, results, strict=True):
        if each.future.done():
            continue
        if isinstance(result, Exception):
            each.future.set_exception(result)
        else:
            each.future.set_result(result)
