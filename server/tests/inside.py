"""A server inside the test's own process, whose every statement can be seen."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from meshapi_server.app import Server
from meshapi_server.database import Database, open_database
from meshapi_server.settings import Settings
from meshapi_server.store.plan import Plan, Read, Row, Write
from meshapi_server.store.planned import Change, Look, PlannedStore, Purpose

Result = TypeVar("Result")
URL = "http://inside"


class Witness:
    """Writes down the name of every statement that a store performs, and how many of them write."""

    def __init__(self, store: PlannedStore) -> None:
        self.seen: list[str] = []
        self.transactions = 0
        fetch, look, scan, change = store.fetch, store.look, store.scan, store.change

        async def seen_fetch(name: str, /, **values: Any) -> Sequence[Row]:
            self.seen.append(name)
            return await fetch(name, **values)

        async def seen_look(begin: Look[Any]) -> Any:
            return await look(lambda: self._watched(begin()))

        async def seen_scan(begin: Look[Any]) -> Any:
            return await scan(lambda: self._watched(begin()))

        async def seen_change(begin: Change[Any], purpose: Purpose = "other") -> Any:
            self.transactions += 1
            return await change(lambda shard: self._watched(begin(shard)), purpose)

        for name, method in (
            ("fetch", seen_fetch),
            ("look", seen_look),
            ("scan", seen_scan),
            ("change", seen_change),
        ):
            setattr(store, name, method)

    def take(self) -> tuple[list[str], int]:
        """The names since the last time, in their order, and the number of transactions."""
        seen, transactions = self.seen[:], self.transactions
        self.seen.clear()
        self.transactions = 0
        return seen, transactions

    def _watched(self, plan: Plan[Result]) -> Plan[Result]:
        try:
            wish = next(plan)
            while True:
                if isinstance(wish, Read | Write):
                    self.seen.append(wish.name)
                rows = yield wish
                wish = plan.send(rows)
        except StopIteration as end:
            result: Result = end.value
            return result


class Inside:
    """A server and those who call it."""

    def __init__(self, server: Server, witness: Witness) -> None:
        self.server = server
        self.witness = witness
        self._clients: list[httpx2.AsyncClient] = []

    def client(self, secret: str | None, **headers: str) -> httpx2.AsyncClient:
        """A caller with a key."""
        lines = {"authorization": f"Bearer {secret}"} if secret else {}
        transport = httpx2.ASGITransport(self.server.app)
        made = httpx2.AsyncClient(transport=transport, base_url=URL, headers={**lines, **headers})
        self._clients.append(made)
        return made

    async def caller(self, name: str = "ci", **terms: Any) -> httpx2.AsyncClient:
        """A caller with a key of its own."""
        secret, _ = await self.server.keys.create(name, **terms)
        return self.client(secret)

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


@contextlib.asynccontextmanager
async def inside(data: Path, url: str | None = None) -> AsyncIterator[Inside]:
    """A server that answers callers; nobody works on its tasks."""
    settings = Settings(data=str(data), role="api", database=url or "", simulate=True)
    database: Database = await open_database(settings.database_url)
    assert isinstance(database.store, PlannedStore)
    witness = Witness(database.store)
    server = await Server.build(database, settings, URL, {})
    found = Inside(server, witness)
    try:
        yield found
    finally:
        await found.close()
        await server.stop()
