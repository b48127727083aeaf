"""A store that fails, or makes its callers wait, when a test says so. What it does is the real store's."""

import asyncio
from typing import Any, cast

from meshapi_server.tasks.ports import Store


class FaultyStore:
    """Hands every call to ``store``; a named one fails or waits until the test lets it through.

    ``port`` is this object as those who use a store see it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._failing: str | None = None
        self._slow: str | None = None
        self._open = asyncio.Event()
        self._awake = asyncio.Event()
        self._awake.set()
        self.failed = 0
        self.waiting = 0

    def fail(self, method: str) -> None:
        """From now on ``method`` fails."""
        self._failing = method

    def mend(self) -> None:
        """Nothing fails any more."""
        self._failing = None

    def hold(self, method: str) -> None:
        """From now on ``method`` has done its work but does not return."""
        self._slow = method

    def release(self) -> None:
        """Let everybody go who was held."""
        self._slow = None
        self._open.set()

    def freeze(self) -> None:
        """From now on no call gets through, and none that is under way returns: a process that is stopped."""
        self._awake.clear()

    def thaw(self) -> None:
        """The process goes on where it was."""
        self._awake.set()

    async def awake(self) -> None:
        """Wait while the process is frozen."""
        await self._awake.wait()

    @property
    def port(self) -> Store:
        return cast(Store, self)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        async def call(*values: Any, **options: Any) -> Any:
            await self.awake()
            if self._failing == name:
                self.failed += 1
                raise ConnectionError("the store is away")
            result = await method(*values, **options)
            if self._slow == name:
                self.waiting += 1
                await self._open.wait()
            await self.awake()
            return result

        return call
