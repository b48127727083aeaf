"""Tasks as owners of files, in either dialect."""

from collections.abc import Sequence

from meshapi_server.tasks import ids
from meshapi_server.tasks.task import Task

from .plan import Plan, Write, read
from .planned import PlannedStore
from .rows import read_task
from .tally import Bucket, bucket_of, tally_rows


class StoredFiles:
    """Implements FileRecords (files/ports.py)."""

    def __init__(self, store: PlannedStore) -> None:
        self._store = store

    async def task(self, task_id: str) -> Task | None:
        """The task, whoever's it is."""
        rows = await self._store.fetch("get_linked_task", id=task_id)
        return read_task(rows[0]) if rows else None

    async def expired_results(self, before: int, after: str, most: int) -> Sequence[str]:
        """Tasks with files that are no longer kept (see the port)."""
        return await self._search("expired_results", before, after, most)

    async def remove_results(self, task_ids: Sequence[str], now: int) -> Sequence[str]:
        """Note that files are no longer kept (see the port)."""
        wanted = list(task_ids)
        rows = await self._store.change(lambda _: read("remove_results", ids=wanted, now=now))
        return [row[0] for row in rows]

    async def expired_records(self, before: int, after: str, most: int) -> Sequence[str]:
        """Tasks that are no longer told of (see the port)."""
        return await self._search("expired_records", before, after, most)

    async def forget_records(self, task_ids: Sequence[str], now: int) -> int:
        """Forget ended tasks with all that belongs to them, and note that their files are to go."""
        return await self._store.change(lambda shard: _forget(list(task_ids), now, shard))

    async def forget_inputs(self, before: int, most: int) -> int:
        """Forget inline inputs (see the port)."""
        newest = ids.oldest_task_id(before)
        rows = await self._store.scan(lambda: read("expired_inputs", before=before, newest=newest, most=most))
        old = [row[0] for row in rows]
        if old:
            await self._store.change(lambda _: read("forget_inputs", ids=old))
        return len(old)

    async def known(self, task_ids: Sequence[str]) -> frozenset[str]:
        """Tasks that there are, or were until they were deleted here."""
        return await self._among("known_tasks", task_ids)

    async def unneeded(self, task_ids: Sequence[str]) -> frozenset[str]:
        """Tasks whose files may go (see the port)."""
        return await self._store.unneeded_files(task_ids)

    async def old_deleted(self, before: int, after: str, most: int) -> Sequence[str]:
        """Tasks that were deleted long ago (see the port)."""
        rows = await self._store.scan(lambda: read("old_deleted", before=before, after=after, most=most))
        return [row[0] for row in rows]

    async def forget_deleted(self, task_ids: Sequence[str]) -> int:
        """Forget that tasks were deleted (see the port)."""
        wanted = list(task_ids)
        return len(await self._store.change(lambda _: read("forget_deleted", ids=wanted)))

    async def needed(self, task_ids: Sequence[str]) -> frozenset[str]:
        """Tasks that have files, or may get some."""
        return await self._among("needed_files", task_ids)

    async def _among(self, name: str, task_ids: Sequence[str]) -> frozenset[str]:
        wanted = list(task_ids)
        rows = await self._store.scan(lambda: read(name, ids=wanted))
        return frozenset(row[0] for row in rows)

    async def _search(self, name: str, before: int, after: str, most: int) -> Sequence[str]:
        newest = ids.oldest_task_id(before)
        rows = await self._store.scan(
            lambda: read(name, before=before, after=after, newest=newest, most=most)
        )
        return [row[0] for row in rows]


def _forget(task_ids: list[str], now: int, shard: int) -> Plan[int]:
    yield from read("note_deleted", ids=task_ids, now=now)
    rows = yield from read("forget_records", ids=task_ids)
    tally: dict[Bucket, int] = {}
    for row in rows:
        bucket = bucket_of(read_task(row))
        tally[bucket] = tally.get(bucket, 0) - 1
    if tally:
        yield Write("add_tally", tally_rows(tally, shard))
    return len(rows)
