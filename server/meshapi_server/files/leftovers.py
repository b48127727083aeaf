"""Files that no task needs: those that this database may remove, and those that it does not know.

A database takes for a leftover only what it has itself recorded as over (docs/decisions/0012). It may be a
restored backup or a copy: then files of tasks that it does not know belong to its own later days, or to
another server.
"""

from collections.abc import AsyncIterator, Iterable, Sequence

import structlog
from msgspec import Struct

from meshapi_server.tasks import ids

from .ports import FileRecords
from .storage import LABEL, Storage

log = structlog.get_logger("meshapi.files")

UNFINISHED = 3600 * 1000  # ms; what is younger may be about to become somebody's
_EVER = 1 << 52  # ms; all times are before it
_NAMED = 5  # tasks that one line of the log names


class Batch(Struct, frozen=True):
    """Tasks with files in the storage: those whose files may go, and those of which nothing is known."""

    unneeded: Sequence[str]
    unknown: Sequence[str]


class Weight(Struct, kw_only=True):
    """Files of so many tasks, of so many bytes."""

    tasks: int = 0
    bytes: int = 0


class Leftovers:
    """What is in a storage, compared with what the database knows. ``name`` is the database's label."""

    def __init__(self, records: FileRecords, storage: Storage, name: str) -> None:
        self._records = records
        self._storage = storage
        self._name = name

    async def batches(self, before: int) -> AsyncIterator[Batch]:
        """Everything whose files are all older than ``before`` (ms since the epoch)."""
        async for task_ids in self._folders(before):
            needed = await self._records.needed(task_ids)
            unneeded = await self._records.unneeded(task_ids)
            yield Batch(
                [each for each in task_ids if each in unneeded],
                [each for each in task_ids if each not in needed and each not in unneeded],
            )

    async def claim(self) -> bool:
        """Whether the storage belongs to this database. One without a label becomes its, if nobody else's.

        Two databases may have shared it before there were labels.
        """
        label = await self._storage.label(None)
        if label is None:
            if await self._has_strangers():
                log.warning(
                    "the storage has files of tasks that this database does not know;"
                    " leftovers are left alone until its label is written",
                    file=LABEL,
                    label=self._name,
                )
                return False
            label = await self._storage.label(self._name)
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
        async for names in self._storage.tasks(before):
            if found := [each for each in names if ids.is_task_id(each)]:
                yield found


async def remove_files(storage: Storage, task_ids: Iterable[str]) -> frozenset[str]:
    """Remove the files of tasks; returns those whose files could not be removed, which the log tells."""
    stay: dict[str, str] = {}
    for task_id in task_ids:
        try:
            await storage.remove(task_id)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the others can go
            stay[task_id] = str(fault) or repr(fault)
    if stay:
        log.warning(
            "files could not be removed; a later sweep tries again",
            tasks=len(stay),
            first=dict(list(stay.items())[:_NAMED]),
        )
    return frozenset(stay)
