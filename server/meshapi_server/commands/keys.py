"""``meshapi keys``: make, show, change and end API keys, with the server running or not."""

import asyncio
import datetime
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

import msgspec
import typer

from meshapi_server.accounts.dollars import nano_dollars
from meshapi_server.accounts.key import Changes, Key, TermInvalid, Terms
from meshapi_server.accounts.keys import GRACE, KeyEnded, Keys
from meshapi_server.api.key_bodies import key_body
from meshapi_server.database import open_database, sqlite_path
from meshapi_server.datadir import DataDirectory
from meshapi_server.settings import SettingsInvalid, load
from meshapi_server.store.migrate import SchemaTooNew
from meshapi_server.tasks.clock import system_clock

keys = typer.Typer(help="Make, show, change and end API keys.", no_args_is_help=True)

Result = TypeVar("Result")
KeyID = Annotated[str, typer.Argument(help="The key's id.")]
Data = Annotated[Path | None, typer.Option(help="The server's data directory.")]
DatabaseURL = Annotated[
    str | None, typer.Option("--database", help="The server's database. [default: a file in the directory]")
]
AsJSON = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Models = Annotated[
    list[str] | None,
    typer.Option("--model", help="A model that it may use, such as byteplus/*; may repeat. [default: all]"),
]
PerMinute = Annotated[int | None, typer.Option(help="Requests in any 60 seconds. [default: no limit]")]
PerDay = Annotated[int | None, typer.Option(help="Requests in any 24 hours. [default: no limit]")]
InFlight = Annotated[
    int | None, typer.Option(help="Tasks that have not ended; more are refused. [default: no limit]")
]
Concurrency = Annotated[
    int | None,
    typer.Option(help="Tasks of this key at upstreams at once; others wait. [default: no limit]"),
]
BudgetPerDay = Annotated[
    str | None, typer.Option(metavar="USD", help="What it may spend in a day (UTC). [default: no limit]")
]
BudgetTotal = Annotated[
    str | None, typer.Option(metavar="USD", help="What it may spend in all. [default: no limit]")
]
Expires = Annotated[
    str | None,
    typer.Option(metavar="WHEN", help="When it ends: 30d, 12h, 90m, or an ISO 8601 time. [default: never]"),
]
_UNITS = {"m": 60, "h": 3600, "d": 86400}
_CLEARABLE = tuple(name.replace("_", "-") for name in Terms.__optional_keys__)


@keys.command()
def create(
    name: Annotated[str, typer.Option(help="What the key is for.")],
    owner: Annotated[
        str | None, typer.Option(help="Whose tasks it sees. [default: an owner of its own]")
    ] = None,
    admin: Annotated[
        bool, typer.Option("--admin", help="It manages keys through the API, and sees no tasks.")
    ] = False,
    model: Models = None,
    requests_per_minute: PerMinute = None,
    requests_per_day: PerDay = None,
    tasks_in_flight: InFlight = None,
    concurrency: Concurrency = None,
    budget_per_day: BudgetPerDay = None,
    budget_total: BudgetTotal = None,
    expires: Expires = None,
    data: Data = None,
    database: DatabaseURL = None,
    as_json: AsJSON = False,
) -> None:
    """Make a key. It is shown this once; the database keeps a hash."""
    terms = _terms(
        model,
        requests_per_minute,
        requests_per_day,
        tasks_in_flight,
        concurrency,
        budget_per_day,
        budget_total,
        expires,
    )
    made = _with_keys(data, database, lambda room: room.create(name, owner, admin=admin, **terms))
    _show_secret(*made, as_json=as_json)


@keys.command("list")
def list_(
    owner: Annotated[str | None, typer.Option(help="Only the keys of this owner.")] = None,
    data: Data = None,
    database: DatabaseURL = None,
    as_json: AsJSON = False,
) -> None:
    """Show every key: never the secret, only its last four characters."""
    found = _with_keys(data, database, lambda room: room.all(owner))
    if as_json:
        typer.echo(json.dumps([_row(key) for key in found]))
        return
    for key in found:
        role = "admin" if key.admin else "tasks"
        typer.echo(
            f"{key.id}  …{key.last_four}  {key.status(system_clock()):9}  {role}  {_time(key.created_at)}"
            f"  {key.owner}  {key.name}"
        )


@keys.command()
def show(key_id: KeyID, data: Data = None, database: DatabaseURL = None, as_json: AsJSON = False) -> None:
    """Show one key and everything that is said of it."""
    _tell(_found(key_id, _with_keys(data, database, lambda room: room.get(key_id))), as_json=as_json)


@keys.command()
def update(
    key_id: KeyID,
    name: Annotated[str | None, typer.Option(help="What the key is for.")] = None,
    model: Models = None,
    requests_per_minute: PerMinute = None,
    requests_per_day: PerDay = None,
    tasks_in_flight: InFlight = None,
    concurrency: Concurrency = None,
    budget_per_day: BudgetPerDay = None,
    budget_total: BudgetTotal = None,
    expires: Expires = None,
    clear: Annotated[
        list[str] | None,
        typer.Option(metavar="LIMIT", help="A limit to take away, such as budget-total; may repeat."),
    ] = None,
    data: Data = None,
    database: DatabaseURL = None,
    as_json: AsJSON = False,
) -> None:
    """Change what is said of a key; what is not named stays. It holds from the next request on."""
    terms = _terms(
        model,
        requests_per_minute,
        requests_per_day,
        tasks_in_flight,
        concurrency,
        budget_per_day,
        budget_total,
        expires,
    )
    changes = cast(Changes, {**terms, **_cleared(clear or [])})
    if name is not None:
        changes["name"] = name
    if not changes:
        raise _stop("nothing to change; name at least one option")
    key = _with_keys(data, database, lambda room: room.update(key_id, **changes))
    _tell(_found(key_id, key), as_json=as_json)


@keys.command()
def rotate(
    key_id: KeyID,
    grace: Annotated[
        int, typer.Option(metavar="SECONDS", help="How long the old secret opens, too; 0 ends it at once.")
    ] = GRACE,
    data: Data = None,
    database: DatabaseURL = None,
    as_json: AsJSON = False,
) -> None:
    """Give a key a new secret. It is shown this once."""
    made = _with_keys(data, database, lambda room: room.rotate(key_id, grace))
    if made is None:
        raise _missing(key_id)
    _show_secret(*made, as_json=as_json)


@keys.command()
def suspend(key_id: KeyID, data: Data = None, database: DatabaseURL = None, as_json: AsJSON = False) -> None:
    """Turn a key away, at once, until it is resumed. Its tasks go on."""
    key = _found(key_id, _with_keys(data, database, lambda room: room.suspend(key_id)))
    _say(key, f"{key.id} is suspended.", as_json=as_json)


@keys.command()
def resume(key_id: KeyID, data: Data = None, database: DatabaseURL = None, as_json: AsJSON = False) -> None:
    """Let a suspended key in again."""
    key = _found(key_id, _with_keys(data, database, lambda room: room.resume(key_id)))
    _say(key, f"{key.id} is {key.status(system_clock())}.", as_json=as_json)


@keys.command()
def revoke(key_id: KeyID, data: Data = None, database: DatabaseURL = None, as_json: AsJSON = False) -> None:
    """End a key for good, at once."""
    key = _found(key_id, _with_keys(data, database, lambda room: room.revoke(key_id)))
    _say(key, f"{key.id} is revoked.", as_json=as_json)


def _with_keys(data: Path | None, database: str | None, work: Callable[[Keys], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        try:
            settings = load({"data": str(data) if data else None, "database": database})
            if sqlite_path(settings.database_url) is not None:  # a shared database needs no place here
                DataDirectory(settings.data_directory).make()
            opened = await open_database(settings.database_url)
        except (SettingsInvalid, SchemaTooNew, OSError) as problem:
            raise _stop(str(problem)) from None
        try:
            return await work(Keys(opened.keys, opened.clock))
        except (TermInvalid, KeyEnded) as problem:
            raise _stop(str(problem)) from None
        finally:
            await opened.close()

    return asyncio.run(run())


def _terms(
    models: Sequence[str] | None,
    requests_per_minute: int | None,
    requests_per_day: int | None,
    tasks_in_flight: int | None,
    concurrency: int | None,
    budget_per_day: str | None,
    budget_total: str | None,
    expires: str | None,
) -> Terms:
    """The terms that were given on the command line."""
    given: dict[str, Any] = {
        "models": tuple(models) if models else None,
        "requests_per_minute": requests_per_minute,
        "requests_per_day": requests_per_day,
        "tasks_in_flight": tasks_in_flight,
        "concurrency": concurrency,
        "budget_per_day": _budget("budget-per-day", budget_per_day),
        "budget_total": _budget("budget-total", budget_total),
        "expires_at": None if expires is None else _moment(expires),
    }
    return cast(Terms, {name: value for name, value in given.items() if value is not None})


def _cleared(names: Sequence[str]) -> dict[str, None]:
    for name in names:
        if name not in _CLEARABLE:
            raise _stop(f"--clear: there is no limit {name!r}; use {', '.join(sorted(_CLEARABLE))}")
    return {name.replace("-", "_"): None for name in names}


def _budget(option: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return nano_dollars(text)
    except ValueError as problem:
        raise _stop(f"--{option}: {problem}") from None


def _moment(text: str) -> int:
    """A time from now, or an ISO 8601 one, in milliseconds since the epoch."""
    now = datetime.datetime.now(datetime.UTC)
    span = re.fullmatch(r"([0-9]{1,6})([mhd])", text)
    if span is not None:
        moment = now + datetime.timedelta(seconds=int(span[1]) * _UNITS[span[2]])
        return int(moment.timestamp() * 1000)
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise _stop(
            f"--expires: {text!r} is no time; use 30d, 12h, 90m or 2027-01-31T00:00:00Z, for example"
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp() * 1000)


def _row(key: Key, secret: str | None = None) -> dict[str, Any]:
    """A key as the admin API shows it, too."""
    row: dict[str, Any] = msgspec.to_builtins(key_body(key, system_clock(), secret))
    return row


def _show_secret(secret: str, key: Key, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_row(key, secret)))
        return
    typer.echo(f"{secret}\nThis key is shown once. Its id is {key.id}.")


def _tell(key: Key, *, as_json: bool) -> None:
    row = _row(key)
    if as_json:
        typer.echo(json.dumps(row))
        return
    times = {"created_at", "expires_at", "rotated_at", "suspended_at", "revoked_at"}
    for name, value in row.items():
        if value is not None and name != "object":
            typer.echo(f"{name:20} {_time(value * 1000) if name in times else _text(value)}")


def _text(value: Any) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)


def _say(key: Key, sentence: str, *, as_json: bool) -> None:
    typer.echo(json.dumps(_row(key)) if as_json else sentence)


def _time(milliseconds: int) -> str:
    moment = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC)
    return moment.strftime("%Y-%m-%d %H:%M")


def _found(key_id: str, key: Key | None) -> Key:
    if key is None:
        raise _missing(key_id)
    return key


def _missing(key_id: str) -> typer.Exit:
    return _stop(f"there is no key {key_id!r}; see `meshapi keys list`")


def _stop(message: str) -> typer.Exit:
    typer.echo(f"meshapi keys: {message}", err=True)
    return typer.Exit(1)
