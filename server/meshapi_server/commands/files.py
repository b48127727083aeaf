"""``meshapi files``: what lies in the storage that no task of the database accounts for."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct

from meshapi_server.database import open_database, sqlite_path
from meshapi_server.datadir import DataDirectory
from meshapi_server.files.leftovers import UNFINISHED, Leftovers, remove_files
from meshapi_server.files.storage import LABEL, Storage, StorageFault
from meshapi_server.files.storage_url import StorageUnusable, storage_of
from meshapi_server.settings import SettingsInvalid, load
from meshapi_server.store.migrate import SchemaTooNew
from meshapi_server.tasks import ids
from meshapi_server.tasks.clock import Clock

files = typer.Typer(help="Look after the files of results.", no_args_is_help=True)

Data = Annotated[Path | None, typer.Option(help="The server's data directory.")]
DatabaseURL = Annotated[
    str | None, typer.Option("--database", help="The server's database. [default: a file in the directory]")
]
StorageURL = Annotated[
    str | None, typer.Option("--storage", help="Where results are kept. [default: in the directory]")
]
_USER_ERRORS = (SettingsInvalid, SchemaTooNew, StorageUnusable, StorageFault, OSError)


class _Room(Struct, frozen=True):
    """A storage beside its database. ``name`` is the database's label."""

    storage: Storage
    leftovers: Leftovers
    clock: Clock
    name: str


class _Unknown(Struct):
    """What was found: tasks with files, how many bytes these have, and of how many they were removed."""

    tasks: list[str] = []
    bytes: int = 0
    removed: int = 0


@files.callback()
def _of_files() -> None:
    """Look after the files of results."""


@files.command()
def unknown(
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove these files. Nothing brings them back.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before removing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    data: Data = None,
    database: DatabaseURL = None,
    storage: StorageURL = None,
) -> None:
    """Show the files of tasks that the database does not know, which no sweep removes; or remove them.

    They belong to tasks that came after a backup that was restored, to another server's, or to nobody.
    """
    try:
        found = asyncio.run(_search(data, database, storage, remove=False))
        if remove and found.tasks:
            if not yes:
                typer.confirm(f"Remove the files of {_counted(found)} for good?", abort=True, err=True)
            found = asyncio.run(_search(data, database, storage, remove=True))
    except _USER_ERRORS as problem:
        raise _stop(str(problem)) from None
    if as_json:
        document = {"tasks": found.tasks, "bytes": found.bytes, "removed": found.removed}
        typer.echo(json.dumps(document))
    else:
        for task_id in found.tasks:
            typer.echo(task_id)
        typer.echo(f"{_counted(found)}" + (f"; {found.removed} removed" if remove else ""))
    if remove and found.removed < len(found.tasks):
        raise typer.Exit(1)


async def _search(data: Path | None, database: str | None, storage: str | None, *, remove: bool) -> _Unknown:
    found = _Unknown()
    async with _opened(data, database, storage) as room:
        if remove:
            await _check_label(room)
        async for batch in room.leftovers.batches(room.clock() - UNFINISHED):
            found.tasks += batch.unknown
            found.bytes += await room.storage.weigh(batch.unknown)
            if remove:
                found.removed += len(batch.unknown) - len(await remove_files(room.storage, batch.unknown))
    return found


async def _check_label(room: _Room) -> None:
    """Raise StorageFault unless the storage carries the database's label."""
    label = await room.storage.label(None)
    if label != room.name:
        carried = "carries no label" if label is None else f"carries the label {label!r}, of another database"
        raise StorageFault(
            f"the storage {carried}, so nothing in it is removed; if it is this database's alone,"
            f" write {room.name} into {LABEL}"
        )


@asynccontextmanager
async def _opened(data: Path | None, database: str | None, storage: str | None) -> AsyncIterator[_Room]:
    given = {"data": str(data) if data else None, "database": database, "storage": storage}
    settings = load(given)
    if sqlite_path(settings.database_url) is not None:  # a shared database needs no place here
        DataDirectory(settings.data_directory).make()
    place = storage_of(settings.storage, settings.data_directory / "files")
    place.open()
    opened = await open_database(settings.database_url)
    try:
        name = (await opened.keys.secret("storage", ids.ulid().encode())).decode()
        yield _Room(place, Leftovers(opened.files, place, name), opened.clock, name)
    finally:
        await opened.close()


def _counted(found: _Unknown) -> str:
    tasks = "1 task" if len(found.tasks) == 1 else f"{len(found.tasks)} tasks"
    return f"{tasks} unknown to the database, {found.bytes / 1e6:.1f} MB"


def _stop(message: str) -> typer.Exit:
    typer.echo(f"meshapi files: {message}", err=True)
    return typer.Exit(1)
