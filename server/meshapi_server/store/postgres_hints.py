"""Word between processes on one database: LISTEN and NOTIFY.

A hint may be late or lost; the tables are the truth. Hints are collected and sent a moment later, outside of
any other transaction: every NOTIFY takes one lock of the whole server when it commits, and a create or a save
must not queue for that.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable

import structlog

from .faults import DatabaseUnusable
from .postgres_lane import Connect, Connection, gone
from .postgres_presence import is_present

log = structlog.get_logger("meshapi.store")

CHANNEL = "meshapi"
_GATHER = 0.005  # s in which hints are collected
_LONGEST = 7900  # bytes of a payload; the server allows 8000
_BELL = "!"
_PAUSE = 1.0  # s before another attempt to reach the database
_SEND = "select pg_notify($1, payload) from unnest($2::text[]) as payload"


class PostgresHints:
    """Implements Hints (tasks/ports.py) on a connection of its own."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._changed: Callable[[str], None] = lambda _: None
        self._rung: Callable[[], None] = lambda: None
        self._pending: dict[str, None] = {}
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def announce(self, task_id: str) -> None:
        """Tell the others that a task changed."""
        self._pending[task_id] = None
        self._wanted.set()

    def ring(self) -> None:
        """Tell the workers that there is something to claim."""
        self._pending[_BELL] = None
        self._wanted.set()

    def listen(self, changed: Callable[[str], None], rung: Callable[[], None]) -> None:
        """Call ``changed`` and ``rung`` for what other processes say."""
        self._changed, self._rung = changed, rung

    async def open(self) -> None:
        """Begin to send and to hear. Raises DatabaseUnusable while somebody copies the database."""
        connection = await self._listening()
        if not await is_present(connection):
            await connection.close()
            raise DatabaseUnusable("the database is being copied; wait until that is done")
        self._task = asyncio.create_task(self._run(connection))

    async def close(self) -> None:
        """Send what is left and stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, connection: Connection) -> None:
        try:
            while True:
                try:
                    await self._talk(connection)
                except Exception as fault:
                    if not gone(fault) and not connection.is_closed():
                        log.exception("hints failed")
                # It broke while it was used, or was found closed by the server while nothing was said.
                connection.terminate()
                connection = await self._again()
        finally:
            with contextlib.suppress(Exception):
                await self._send(connection)
                await connection.close(timeout=1)
            connection.terminate()

    async def _talk(self, connection: Connection) -> None:
        while not connection.is_closed():
            await self._wanted.wait()
            await asyncio.sleep(_GATHER)
            await self._send(connection)

    async def _send(self, connection: Connection) -> None:
        self._wanted.clear()
        waiting, self._pending = self._pending, {}
        if waiting and not connection.is_closed():
            await connection.execute(_SEND, CHANNEL, payloads(waiting))

    async def _again(self) -> Connection:
        while True:
            await asyncio.sleep(_PAUSE)
            try:
                connection = await self._listening()
                await is_present(connection)
            except Exception as fault:  # noqa: BLE001 - the database is away; hints can wait
                log.debug("no hints", fault=type(fault).__name__)
            else:
                self._rung()  # a bell may have rung meanwhile
                return connection

    async def _listening(self) -> Connection:
        connection = await self._connect()
        own = connection.get_server_pid()

        def hear(_: object, sender: int, __: str, payload: object) -> None:
            if sender != own:
                self._hear(str(payload))

        connection.add_termination_listener(lambda _: self._wanted.set())
        await connection.add_listener(CHANNEL, hear)
        return connection

    def _hear(self, payload: str) -> None:
        for word in payload.split():
            if word == _BELL:
                self._rung()
            else:
                self._changed(word)


def payloads(words: Iterable[str]) -> list[str]:
    """The words, put together into as few payloads as they fit into."""
    found: list[str] = []
    size = _LONGEST + 1
    for word in words:
        size += 1 + len(word)
        if size > _LONGEST:
            found.append(word)
            size = len(word)
        else:
            found[-1] += f" {word}"
    return found
