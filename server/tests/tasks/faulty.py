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

    @property
    def port(self) -> Store:
        return cast(Store, self)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        async def call(*values: Any, **options: Any) -> Any:
            if self._failing == name:
                self.failed += 1
                raise ConnectionError("the store is away")
            result = await method(*values, **options)
            if self._slow == name:
                self.waiting += 1
                await self._open.wait()
            return result

        return call
