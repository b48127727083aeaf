"""``meshapi keys``: create, list and revoke API keys in a data directory, with the server running or not."""

import asyncio
import datetime
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from meshapi_server.accounts.keys import Key, Keys
from meshapi_server.database import open_database
from meshapi_server.datadir import DataDirectory
from meshapi_server.settings import SettingsInvalid, load
from meshapi_server.store.migrate import SchemaTooNew

keys = typer.Typer(help="Create, list and revoke API keys.", no_args_is_help=True)

Result = TypeVar("Result")
Data = Annotated[Path | None, typer.Option(help="The server's data directory.")]
DatabaseURL = Annotated[
    str | None, typer.Option("--database", help="The server's database. [default: a file in the directory]")
]
AsJSON = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@keys.command()
def create(
    name: Annotated[str, typer.Option(help="What the key is for.")],
    owner: Annotated[
        str | None, typer.Option(help="Whose tasks it sees. [default: an owner of its own]")
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option(min=1, help="Tasks of this key at upstreams at once; others wait. [default: no limit]"),
    ] = None,
    data: Data = None,
    database: DatabaseURL = None,
    as_json: AsJSON = False,
) -> None:
    """Make a key. It is shown this once; the database keeps a hash."""
    try:
        secret, key = _with_keys(
            data, database, lambda room: room.create(name, owner, concurrency=concurrency)
        )
    except ValueError as problem:
        raise _stop(str(problem)) from None
    if as_json:
        typer.echo(json.dumps({"key": secret, **_row(key)}))
        return
    typer.echo(f"{secret}\nThis key is shown once. Its id is {key.id}.")


@keys.command("list")
def list_(data: Data = None, database: DatabaseURL = None, as_json: AsJSON = False) -> None:
    """Show every key: never the secret, only its last four characters."""
    found = _with_keys(data, database, lambda room: room.all())
    if as_json:
        typer.echo(json.dumps([_row(key) for key in found]))
        return
    for key in found:
        state = "revoked" if key.revoked_at else "active"
        typer.echo(f"{key.id}  …{key.last_four}  {state:7}  {_time(key.created_at)}  {key.owner}  {key.name}")


@keys.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id.")],
    data: Data = None,
    database: DatabaseURL = None,
    as_json: AsJSON = False,
) -> None:
    """End a key for good, at once."""
    key = _with_keys(data, database, lambda room: room.revoke(key_id))
    if key is None:
        raise _stop(f"there is no key {key_id!r}; see `meshapi keys list`")
    typer.echo(json.dumps(_row(key)) if as_json else f"{key.id} is revoked.")


def _with_keys(data: Path | None, database: str | None, work: Callable[[Keys], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        try:
            settings = load({"data": str(data) if data else None, "database": database})
            DataDirectory(settings.data_directory).make()
            opened = await open_database(settings.database_url)
        except (SettingsInvalid, SchemaTooNew, OSError) as problem:
            raise _stop(str(problem)) from None
        try:
            return await work(Keys(opened.keys, opened.clock))
        finally:
            await opened.close()

    return asyncio.run(run())


def _row(key: Key) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "owner": key.owner,
        "last_four": key.last_four,
        "concurrency": key.concurrency,
        "created_at": key.created_at // 1000,
        "revoked_at": key.revoked_at // 1000 if key.revoked_at else None,
    }


def _time(milliseconds: int) -> str:
    moment = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC)
    return moment.strftime("%Y-%m-%d %H:%M")


def _stop(message: str) -> typer.Exit:
    typer.echo(f"meshapi keys: {message}", err=True)
    return typer.Exit(1)
