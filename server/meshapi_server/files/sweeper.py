"""What is no longer kept goes: results, ended tasks, inputs, and what kills have left behind.

Every step may be broken off and done again, by this process or another one on the same database. First the
database says that files are gone, then they go; what a kill in between leaves, or a storage that refuses, is
found as a leftover.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence

import structlog
from msgspec import Struct

from meshapi_server.tasks.clock import Clock

from .leftovers import UNFINISHED, Leftovers, Weight, remove_files
from .ports import FileRecords
from .results import Results
from .retention import DAY, Retention

log = structlog.get_logger("meshapi.files")

_BATCH = 200  # tasks in one transaction
_EVERY = 600.0  # s between two sweeps
_LEFTOVERS_EVERY = 6 * 3600.0  # s; to look for them lists the whole storage
_DELETED_KEPT = 2 * DAY  # so long no attempt can outlive the task that it was made for


class Swept(Struct, kw_only=True):
    """What a sweep removed: numbers of tasks, of ``unfinished`` those of files and folders.

    ``unknown`` are tasks with files that the database does not know: these are left alone.
    """

    results: int = 0
    tasks: int = 0
    inputs: int = 0
    leftovers: int = 0
    unfinished: int = 0
    unknown: int = 0

    @property
    def anything(self) -> bool:
        """Whether something was removed."""
        return any((self.results, self.tasks, self.inputs, self.leftovers, self.unfinished))


class Sweeper:
    """Removes what is over. ``name`` is the database's label: a storage with another one has no leftovers."""

    def __init__(
        self, records: FileRecords, files: Results, retention: Retention, clock: Clock, name: str
    ) -> None:
        self._records = records
        self._files = files
        self._storage = files.storage
        self._retention = retention
        self._clock = clock
        self._leftovers = Leftovers(records, files.storage, name)

    async def run(self) -> None:
        """Sweep now and then until cancelled; a fault is logged, and the next sweep tries again."""
        time = asyncio.get_running_loop().time
        next_leftovers = time()
        while True:
            leftovers = time() >= next_leftovers
            try:
                swept = await self.sweep(leftovers=leftovers)
            except Exception:
                log.exception("sweep of files failed")
            else:
                if leftovers:
                    next_leftovers = time() + _LEFTOVERS_EVERY
                if swept.anything:
                    log.info(
                        "swept files", **{each: getattr(swept, each) for each in swept.__struct_fields__}
                    )
            await asyncio.sleep(_EVERY)

    async def sweep(self, *, leftovers: bool = True) -> Swept:
        """Remove everything that is over now; ``leftovers``: also what belongs to no task."""
        now, kept, swept = self._clock(), self._retention, Swept()
        if kept.inputs is not None:
            swept.inputs = await self._forget_inputs(now - kept.inputs)
        if kept.results is not None:
            swept.results = await self._each(
                self._records.expired_results, now - kept.results, self._remove_results
            )
        if kept.tasks is not None:
            swept.tasks = await self._each(self._records.expired_records, now - kept.tasks, self._forget)
        if leftovers:
            await self._remove_leftovers(now, swept)
            swept.unfinished = await self._files.tidy(now - UNFINISHED)
        return swept

    async def _forget_inputs(self, before: int) -> int:
        forgotten = 0
        while found := await self._records.forget_inputs(before, _BATCH):
            forgotten += found
        return forgotten

    async def _each(
        self,
        search: Callable[[int, str, int], Awaitable[Sequence[str]]],
        before: int,
        remove: Callable[[Sequence[str]], Awaitable[int]],
    ) -> int:
        """Remove what ``search`` finds, some at a time; what could not be removed is passed over."""
        removed, after = 0, ""
        while found := await search(before, after, _BATCH):
            removed += await remove(found)
            after = found[-1]
        return removed

    async def _remove_results(self, task_ids: Sequence[str]) -> int:
        removed = await self._records.remove_results(task_ids, self._clock())
        await remove_files(self._storage, removed)
        return len(removed)

    async def _forget(self, task_ids: Sequence[str]) -> int:
        forgotten = await self._records.forget_records(task_ids, self._clock())
        await remove_files(self._storage, await self._records.unneeded(task_ids))
        return forgotten

    async def _remove_leftovers(self, now: int, swept: Swept) -> None:
        """Remove what this database knows to be over; what it does not know is told and left alone."""
        if not await self._leftovers.claim():
            return
        stay: set[str] = set()
        unknown = Weight()
        async for batch in self._leftovers.batches(now - UNFINISHED):
            failed = await remove_files(self._storage, batch.unneeded)
            stay |= failed
            swept.leftovers += len(batch.unneeded) - len(failed)
            unknown.tasks += len(batch.unknown)
            unknown.bytes += await self._storage.weigh(batch.unknown)
        swept.unknown = unknown.tasks
        if unknown.tasks:
            log.warning(
                "the storage has files of tasks that this database does not know; they are left alone;"
                " see `meshapi files unknown`",
                tasks=unknown.tasks,
                bytes=unknown.bytes,
            )
        await self._forget_deleted(now - _DELETED_KEPT, stay)

    async def _forget_deleted(self, before: int, stay: Collection[str]) -> None:
        """Forget tasks that were deleted long ago: their files, but for ``stay``, are gone by now."""
        after = ""
        while found := await self._records.old_deleted(before, after, _BATCH):
            after = found[-1]
            if gone := [each for each in found if each not in stay]:
                await self._records.forget_deleted(gone)
