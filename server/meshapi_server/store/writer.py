"""The one thread that writes to SQLite. Everything that waits goes into one commit (group commit).

Why: SQLite has one writer at a time, and a commit that survives a power cut costs one fsync. With callers
sharing commits a durable write costs a fraction of an fsync each, and nobody ever meets a locked database.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

Result = TypeVar("Result")
Work = Callable[[sqlite3.Connection], Any]

_GROUP = 64  # operations in one commit at most: bounds how long the first of them waits


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection with the settings that every use here needs; transactions are opened by hand."""
    uri = f"{path.absolute().as_uri()}{'?mode=ro' if read_only else ''}"
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=30, cached_statements=256
    )
    connection.execute("pragma busy_timeout = 30000")
    connection.execute("pragma foreign_keys = on")
    connection.execute("pragma cache_size = -16384")
    if not read_only:
        connection.execute("pragma journal_mode = wal")
        # FULL: an accepted task and a committed intent must outlive a power cut, not only a crash.
        connection.execute("pragma synchronous = full")
    return connection


class Writer:
    """Runs functions on the writing connection, one transaction for all that are waiting."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: queue.SimpleQueue[tuple[Work, asyncio.Future[Any]] | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)

    def start(self) -> None:
        """Begin on the running loop; results are delivered to it."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def write(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run ``work`` in a transaction; returns after the commit. An exception undoes only this work.

        A caller that is cancelled undoes nothing: its work stays in the queue.
        """
        if self._stopped:
            raise RuntimeError("the database is closed")
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._queue.put((work, future))
        return await future

    async def stop(self) -> None:
        """Finish what is queued and close."""
        self._stopped = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        connection = connect(self._path)
        try:
            while True:
                group, last = self._collect()
                if group:
                    self._commit(connection, group)
                if last:
                    return
        finally:
            connection.close()

    def _collect(self) -> tuple[list[tuple[Work, asyncio.Future[Any]]], bool]:
        item = self._queue.get()
        group = []
        while item is not None:
            group.append(item)
            if len(group) >= _GROUP:
                return group, False
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _commit(self, connection: sqlite3.Connection, group: list[tuple[Work, asyncio.Future[Any]]]) -> None:
        outcomes: list[tuple[asyncio.Future[Any], Any, BaseException | None]] = []
        try:
            connection.execute("begin immediate")
            for work, future in group:
                outcomes.append(self._attempt(connection, work, future))
            connection.execute("commit")
        except BaseException as fault:  # noqa: BLE001 - every waiting caller must hear of it
            if connection.in_transaction:
                connection.execute("rollback")
            outcomes = [(future, None, fault) for _, future in group]
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_deliver, outcomes)

    @staticmethod
    def _attempt(
        connection: sqlite3.Connection, work: Work, future: asyncio.Future[Any]
    ) -> tuple[asyncio.Future[Any], Any, BaseException | None]:
        connection.execute("savepoint one")
        try:
            result = work(connection)
        except Exception as fault:  # noqa: BLE001 - handed to the caller whose work it was
            connection.execute("rollback to one")
            return future, None, fault
        finally:
            connection.execute("release one")
        return future, result, None


def _deliver(outcomes: list[tuple[asyncio.Future[Any], Any, BaseException | None]]) -> None:
    for future, result, fault in outcomes:
        if future.done():
            continue
        if fault is None:
            future.set_result(result)
        else:
            future.set_exception(fault)
