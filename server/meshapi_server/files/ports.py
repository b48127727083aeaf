"""What the rooms of files need of the database. Implemented in ``store/stored_files.py``."""

from collections.abc import Sequence
from typing import Protocol

from meshapi_server.tasks.task import Task


class FileRecords(Protocol):
    """Tasks as owners of files. Times are milliseconds; every method that writes has committed at its end."""

    async def task(self, task_id: str) -> Task | None:
        """The task, whoever's it is; for links, which prove that they may."""
        ...

    async def expired_results(self, before: int, after: str, most: int) -> Sequence[str]:
        """Tasks that succeeded before ``before`` and have their files, by id, behind the id ``after``."""
        ...

    async def remove_results(self, task_ids: Sequence[str], now: int) -> Sequence[str]:
        """Note that the files of these tasks are no longer kept; returns those of which that is news."""
        ...

    async def expired_records(self, before: int, after: str, most: int) -> Sequence[str]:
        """Tasks that ended before ``before`` and of which nothing is left to do, by id, behind ``after``."""
        ...

    async def forget_records(self, task_ids: Sequence[str], now: int) -> int:
        """Forget these ended tasks and note that they were deleted; returns how many there were."""
        ...

    async def forget_inputs(self, before: int, most: int) -> int:
        """Forget the inline inputs of up to ``most`` tasks that ended before ``before``; how many tasks."""
        ...

    async def known(self, task_ids: Sequence[str]) -> frozenset[str]:
        """Those of these tasks that there are, or were until they were deleted here."""
        ...

    async def unneeded(self, task_ids: Sequence[str]) -> frozenset[str]:
        """Those of these tasks whose files may go: this database itself has ended their need of any.

        They were deleted, their files were removed, or they failed after having been rendered or fetched.
        """
        ...

    async def old_deleted(self, before: int, after: str, most: int) -> Sequence[str]:
        """Tasks that were deleted before ``before``, by id, behind the id ``after``."""
        ...

    async def forget_deleted(self, task_ids: Sequence[str]) -> int:
        """Forget that these tasks were deleted; returns how many there were."""
        ...

    async def needed(self, task_ids: Sequence[str]) -> frozenset[str]:
        """Those of these tasks that have files, or may get some."""
        ...
