"""Many callers, one transaction: what waits while a transaction runs goes into the next one together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from msgspec import Struct

from .postgres_lane import DatabaseDown

Operation = TypeVar("Operation")
Result = TypeVar("Result")


class _Waiting(Struct, Generic[Operation, Result], frozen=True):
    operation: Operation
    future: "asyncio.Future[Result]"


class Coalescer(Generic[Operation, Result]):
    """Hands waiting operations, in order, to ``serve``, which commits them all or raises.

    An operation that is refused by the database is found by trying each of its group alone, so that it harms
    nobody but its caller.
    """

    def __init__(
        self, serve: Callable[[Sequence[Operation]], Awaitable[Sequence[Result]]], at_once: int = 256
    ) -> None:
        self._serve = serve
        self._at_once = at_once
        self._waiting: list[_Waiting[Operation, Result]] = []
        self._runner: asyncio.Task[None] | None = None
        self._closed = False

    async def submit(self, operation: Operation) -> Result:
        """The operation's result, after its commit."""
        if self._closed:
            raise RuntimeError("the database is closed")
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(operation, future))
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        # Shielded: a caller that is cancelled must not be told that the write did not happen.
        return await asyncio.shield(future)

    async def close(self) -> None:
        """Finish what waits."""
        self._closed = True
        if self._runner is not None:
            await self._runner

    async def _run(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[: self._at_once], self._waiting[self._at_once :]
            await self._settle(group)

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
