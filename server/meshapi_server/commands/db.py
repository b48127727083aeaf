"""``meshapi db``: bring a database up to date, look at it, move everything to another one."""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from meshapi_server.database import sqlite_path
from meshapi_server.datadir import DataDirectory, InUse
from meshapi_server.settings import SettingsInvalid, load
from meshapi_server.store.copying import CopyRefused
from meshapi_server.store.copying import copy as copy_tables
from meshapi_server.store.database_url import shown
from meshapi_server.store.migrate import SchemaTooNew, missing
from meshapi_server.store.postgres_tables import PostgresTables
from meshapi_server.store.sqlite_tables import SqliteTables
from meshapi_server.store.statements import Dialect
from meshapi_server.store.tables import TABLES, Tables
from meshapi_server.tasks.clock import system_clock

db = typer.Typer(help="Migrate, inspect and copy the server's database.", no_args_is_help=True)

Result = TypeVar("Result")
Data = Annotated[Path | None, typer.Option(help="The server's data directory.")]
DatabaseURL = Annotated[
    str | None, typer.Option("--database", help="The server's database. [default: a file in the directory]")
]
AsJSON = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
_USER_ERRORS = (SettingsInvalid, SchemaTooNew, CopyRefused, InUse, OSError)


@db.command()
def migrate(data: Data = None, database: DatabaseURL = None, as_json: AsJSON = False) -> None:
    """Bring the schema up to date. A server does this by itself when it starts."""

    async def run() -> list[int]:
        async with _tables(_url(data, database), create=True) as tables:
            return await tables.migrate()

    numbers = _run(run())
    if as_json:
        typer.echo(json.dumps({"applied": numbers}))
    else:
        typer.echo(f"Applied {', '.join(map(str, numbers))}." if numbers else "The schema is up to date.")


@db.command()
def status(data: Data = None, database: DatabaseURL = None, as_json: AsJSON = False) -> None:
    """Show what the database holds and whether its schema is up to date."""
    url = _url(data, database)

    async def run() -> dict[str, Any]:
        async with _tables(url) as tables:
            done = await tables.applied()
            pending = [each.number for each in missing(_dialect(url), done)]
            present = [table for table in TABLES if await tables.columns(table)]
            return {
                "database": shown(url),
                "schema": max(done, default=0),
                "pending": pending,
                "bytes": await tables.size(),
                "rows": {table: await tables.count(table) for table in present},
            }

    found = _run(run())
    if as_json:
        typer.echo(json.dumps(found))
        return
    waiting = f", {len(found['pending'])} to be applied" if found["pending"] else ", up to date"
    typer.echo(f"{found['database']}\nschema {found['schema']}{waiting}; {found['bytes'] / 1e6:.1f} MB")
    for table, count in found["rows"].items():
        typer.echo(f"{count:>12}  {table}")


@db.command()
def copy(
    source: Annotated[str, typer.Argument(help="sqlite:///PATH or postgresql://…; no server may run on it.")],
    target: Annotated[str, typer.Argument(help="An empty database; its schema is made.")],
) -> None:
    """Copy everything from one database to another: a laptop's to PostgreSQL, or back. All or nothing."""

    async def run() -> dict[str, int]:
        async with AsyncExitStack() as stack:
            reading = await stack.enter_async_context(_tables(source, alone=True))
            writing = await stack.enter_async_context(_tables(target, alone=True, create=True))
            with _bars() as bars:
                return await copy_tables(reading, _dialect(source), writing, bars)

    if source == target:
        raise _stop("the source and the target are the same database")
    counts = _run(run())
    typer.echo(f"Copied {sum(counts.values())} rows, {counts['task']} tasks among them, to {shown(target)}.")
    typer.echo("Videos are files, not rows: let the new server use the same data directory or storage.")


class _Bars:
    """A progress bar for each table."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._rows: dict[str, TaskID] = {}

    def __call__(self, table: str, done: int, total: int) -> None:
        if table not in self._rows:
            self._rows[table] = self._progress.add_task(table, total=total)
        self._progress.update(self._rows[table], completed=done)


@contextmanager
def _bars() -> Iterator[_Bars]:
    """Progress on a terminal's standard error; nothing where there is none."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield _Bars(progress)


@asynccontextmanager
async def _tables(url: str, *, alone: bool = False, create: bool = False) -> AsyncIterator[Tables]:
    """The database that a URL names. ``alone``: with every server kept away from it meanwhile."""
    path = sqlite_path(url)
    async with AsyncExitStack() as stack:
        tables: Tables
        if path is None:
            shared = await PostgresTables.connect(url)
            stack.push_async_callback(shared.close)
            if alone and not await shared.alone():
                raise InUse(f"a server works on {shown(url)}; stop it first")
            tables = shared
        else:
            if not (create or path.is_file()):
                raise SettingsInvalid(f"database: there is no file {path}")
            if alone:
                stack.enter_context(DataDirectory(path.parent))
            else:
                DataDirectory(path.parent).make()
            tables = SqliteTables(path, system_clock)
            stack.push_async_callback(tables.close)
        yield tables


def _url(data: Path | None, database: str | None) -> str:
    try:
        return load({"data": str(data) if data else None, "database": database}).database_url
    except SettingsInvalid as problem:
        raise _stop(str(problem)) from None


def _dialect(url: str) -> Dialect:
    return "postgres" if sqlite_path(url) is None else "sqlite"


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    try:
        return asyncio.run(work)
    except _USER_ERRORS as problem:
        raise _stop(str(problem)) from None


def _stop(message: str) -> typer.Exit:
    typer.echo(f"meshapi db: {message}", err=True)
    return typer.Exit(1)
