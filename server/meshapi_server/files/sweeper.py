"""What is no longer kept goes: results, ended tasks, inputs, and what kills have left behind.

Every step may be broken off and done again, by this process or another one on the same database. First the
database says that files are gone, then they go; what a kill in between leaves is found as a leftover.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import structlog
from msgspec import Struct

from meshapi_server.tasks import ids
from meshapi_server.tasks.clock import Clock

from .ports import FileRecords
from .results import Results
from .retention import Retention
from .storage import LABEL

log = structlog.get_logger("meshapi.files")

_BATCH = 200  # tasks in one transaction
_EVERY = 600.0  # s between two sweeps
_LEFTOVERS_EVERY = 6 * 3600.0  # s; to look for them lists the whole storage
_UNFINISHED = 3600 * 1000  # ms; what is younger may be about to become somebody's
_EVER = 1 << 52  # ms; all times are before it


class Swept(Struct, kw_only=True):
    """What a sweep removed: numbers of tasks, of the last one of files and folders."""

    results: int = 0
    tasks: int = 0
    inputs: int = 0
    leftovers: int = 0
    unfinished: int = 0

    @property
    def anything(self) -> bool:
        """Whether something was removed."""
        return any((self.results, self.tasks, self.inputs, self.leftovers, self.unfinished))


class Sweeper:
    """Removes what is over. ``name`` says whose the storage is: that of another database has no leftovers."""

    def __init__(
        self, records: FileRecords, files: Results, retention: Retention, clock: Clock, name: str
    ) -> None:
        self._records = records
        self._files = files
        self._retention = retention
        self._clock = clock
        self._name = name

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
            swept.leftovers = await self._remove_leftovers(now - _UNFINISHED)
            swept.unfinished = await self._files.tidy(now - _UNFINISHED)
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
        await self._remove_files(removed)
        return len(removed)

    async def _forget(self, task_ids: Sequence[str]) -> int:
        # The files first: without the task nobody would find them again before the next look at leftovers.
        await self._remove_files(task_ids)
        return await self._records.forget_records(task_ids)

    async def _remove_leftovers(self, before: int) -> int:
        """Remove files of tasks that are gone or ended without them."""
        if not await self._is_ours():
            return 0
        removed = 0
        async for task_ids in self._folders(before):
            needed = await self._records.needed(task_ids)
            unneeded = [each for each in task_ids if each not in needed]
            await self._remove_files(unneeded)
            removed += len(unneeded)
        return removed

    async def _is_ours(self) -> bool:
        """Whether the storage belongs to this database. One without a label becomes its, if nobody else's.

        Two databases may have shared it before there were labels: each takes the other's files for leftovers.
        """
        storage = self._files.storage
        label = await storage.label(None)
        if label is None:
            if await self._has_strangers():
                log.warning(
                    "the storage has files of tasks that this database does not know;"
                    " leftovers are left alone until its label is written",
                    file=LABEL,
                    label=self._name,
                )
                return False
            label = await storage.label(self._name)
        if label != self._name:
            log.warning(
                "the storage belongs to another database; leftovers in it are left alone", label=label
            )
        return label == self._name

    async def _has_strangers(self) -> bool:
        async for task_ids in self._folders(_EVER):
            if set(task_ids) - await self._records.known(task_ids):
                return True
        return False

    async def _folders(self, before: int) -> AsyncIterator[Sequence[str]]:
        """Tasks whose files are older than ``before``. Folders of any other name are not the server's."""
        async for names in self._files.storage.tasks(before):
            if found := [each for each in names if ids.is_task_id(each)]:
                yield found

    async def _remove_files(self, task_ids: Sequence[str]) -> None:
        for task_id in task_ids:
            await self._files.remove(task_id)
