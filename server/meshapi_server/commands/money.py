"""``meshapi usage`` and ``meshapi reconcile``: what was spent, and whether an upstream's invoice agrees."""

import asyncio
import datetime
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from msgspec import Struct

from meshapi_server.accounts.invoices import Charge, Difference, InvoiceInvalid, compare, read_invoice
from meshapi_server.accounts.ledger import DAY
from meshapi_server.accounts.usage import (
    DIMENSIONS,
    Dimension,
    UsageRow,
    csv_of,
    date_of,
    day_number,
    grouped,
    total,
    usual_first,
)
from meshapi_server.database import MoneyRoom, open_database, sqlite_path
from meshapi_server.datadir import DataDirectory
from meshapi_server.settings import SettingsInvalid, load
from meshapi_server.store.migrate import SchemaTooNew
from meshapi_server.tasks.price import dollars, nano

Result = TypeVar("Result")
Data = Annotated[Path | None, typer.Option(help="The server's data directory.")]
DatabaseURL = Annotated[
    str | None, typer.Option("--database", help="The server's database. [default: a file in the directory]")
]
AsJSON = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def usage(
    owner: Annotated[str | None, typer.Option(help="Only this owner. [default: all owners]")] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="The first day, UTC. [default: 30 days]")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="The last day, included. [default: today]")
    ] = None,
    by: Annotated[
        str, typer.Option(metavar="LIST", help="What to tell apart: of day, owner, key and model.")
    ] = ",".join(DIMENSIONS),
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table in CSV.")] = False,
    as_json: AsJSON = False,
    data: Data = None,
    database: DatabaseURL = None,
) -> None:
    """Show what was spent, by day, owner, key and model."""
    today = datetime.datetime.now(datetime.UTC).date()
    end = _day("usage", "--to", last) or today
    begin = _day("usage", "--from", first) or usual_first(min(end, today))
    if begin > end:
        raise _stop("usage", f"--from {begin} is after --to {end}")
    dimensions = _dimensions(by)
    found = _with_money(
        "usage", data, database, lambda money: money.usage(owner, day_number(begin), day_number(end))
    )
    rows = grouped(found, dimensions)
    if as_csv:
        typer.echo(csv_of(rows, dimensions), nl=False)
    elif as_json:
        entries = [_entry(row) for row in rows]
        body = {
            "from": begin.isoformat(),
            "to": end.isoformat(),
            "data": entries,
            "total": _entry(total(rows)),
        }
        typer.echo(json.dumps(body))
    else:
        _table(rows, dimensions)


def reconcile(
    invoice: Annotated[Path, typer.Argument(help="The upstream's invoice, a CSV file.")],
    upstream: Annotated[str, typer.Option(help="Whose invoice it is, such as fal.")],
    id_column: Annotated[str, typer.Option(help="The column with the upstream's ids of tasks.")] = "id",
    amount_column: Annotated[str, typer.Option(help="The column with amounts in US dollars.")] = "amount",
    first: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="DAY", help="The invoice's first day, UTC: find also what it leaves out."
        ),
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="The invoice's last day, included.")
    ] = None,
    tolerance: Annotated[
        str, typer.Option(metavar="USD", help="Differences of no more than this are none.")
    ] = "0",
    book: Annotated[
        bool,
        typer.Option("--book", help="Decide what was in doubt as the invoice says; the rest is only told."),
    ] = False,
    as_json: AsJSON = False,
    data: Data = None,
    database: DatabaseURL = None,
) -> None:
    """Compare an upstream's invoice with the ledger. Exits with 1 when they differ."""
    span = _span(first, last)
    most = _amount("--tolerance", tolerance)
    try:
        lines = read_invoice(invoice.read_text("utf-8-sig"), id_column, amount_column)
    except (InvoiceInvalid, OSError, UnicodeDecodeError) as problem:
        raise _stop("reconcile", f"{invoice}: {problem}") from None
    done = _with_money(
        "reconcile", data, database, lambda money: _reconciled(money, upstream, lines, span, most, book)
    )
    left = len(done.differences) - done.booked
    if as_json:
        counts = {"invoice": len(lines), "ledger": len(done.charges), "booked": done.booked}
        differences = [_difference(each) for each in done.differences]
        typer.echo(json.dumps({**counts, "differences": len(differences), "data": differences}))
    else:
        for each in done.differences:
            typer.echo(each.sentence())
        theirs, ours = sum(lines.values()), sum(each.amount for each in done.charges)
        booked = f", of which {done.booked} booked" if book else ""
        typer.echo(
            f"{len(lines)} ids on the invoice ({dollars(theirs)} USD), {len(done.charges)} charges in the"
            f" ledger ({dollars(ours)} USD), {len(done.differences)} differences{booked}."
        )
    if left:
        raise typer.Exit(1)


class _Reconciled(Struct, frozen=True):
    """What was compared, where it differs, and how many doubts were decided."""

    charges: list[Charge]
    differences: list[Difference]
    booked: int


async def _reconciled(
    money: MoneyRoom,
    upstream: str,
    lines: Mapping[str, int],
    span: tuple[int, int] | None,
    tolerance: int,
    book: bool,
) -> _Reconciled:
    """Compare the invoice with what the ledger has of its ids and of its time; decide doubts if wanted."""
    within = [] if span is None else await money.charges_between(upstream, *span)
    found = {each.task_id: each for each in within}
    # These last: a task that its upstream never named goes by our id here, and by none above.
    found |= {each.task_id: each for each in await money.charges_by_reference(upstream, list(lines))}
    charges = list(found.values())
    differences = compare(lines, charges, tolerance)
    booked = 0
    for each in differences if book else ():
        if each.problem == "was in doubt" and each.task_id is not None:
            booked += await money.book(each.task_id, each.theirs or 0)
    return _Reconciled(charges, differences, booked)


def _difference(each: Difference) -> dict[str, Any]:
    return {
        "problem": each.problem,
        "id": each.reference,
        "task_id": each.task_id,
        "model": each.model,
        "invoice_usd": None if each.theirs is None else dollars(each.theirs),
        "ledger_usd": None if each.ours is None else dollars(each.ours),
    }


def _span(first: str | None, last: str | None) -> tuple[int, int] | None:
    """The invoice's time in ms since the epoch, its end excluded; None when it was not given."""
    begin, end = _day("reconcile", "--from", first), _day("reconcile", "--to", last)
    if begin is None and end is None:
        return None
    if begin is None or end is None or begin > end:
        raise _stop("reconcile", "--from and --to come together, and --from is not after --to")
    return day_number(begin) * DAY, (day_number(end) + 1) * DAY


def _dimensions(text: str) -> tuple[Dimension, ...]:
    named = [part.strip() for part in text.split(",") if part.strip()]
    for part in named:
        if part not in DIMENSIONS:
            raise _stop("usage", f"--by: {part!r} is no dimension; use {', '.join(DIMENSIONS)}")
    return tuple(each for each in DIMENSIONS if each in named)


def _table(rows: Sequence[UsageRow], by: Sequence[Dimension]) -> None:
    if not rows:
        typer.echo("Nothing that has a price was asked for in this time.")
        return
    widths = {"day": 10, "owner": 30, "key": 30, "model": 40}
    head = "  ".join(f"{each:<{widths[each]}}" for each in by)
    typer.echo(f"{head}  {'tasks':>7}  {'USD':>12}  {'held':>12}  {'in doubt':>12}  {'tasks':>7}".strip())
    for row in (*rows, total(rows)):
        named = {
            "day": "" if row.day is None else date_of(row.day).isoformat(),
            "owner": row.owner or "",
            "key": row.key_id or "",
            "model": row.model or "",
        }
        start = "  ".join(f"{named[each]:<{widths[each]}}" for each in by)
        typer.echo(
            f"{start}  {row.tasks:>7}  {dollars(row.spent):>12}  {dollars(row.held):>12}"
            f"  {dollars(row.unknown):>12}  {row.doubtful:>7}"
        )


def _entry(row: UsageRow) -> dict[str, Any]:
    return {
        "day": None if row.day is None else date_of(row.day).isoformat(),
        "owner": row.owner,
        "key_id": row.key_id,
        "model": row.model,
        "tasks": row.tasks,
        "cost_usd": dollars(row.spent),
        "held_usd": dollars(row.held),
        "unknown_usd": dollars(row.unknown),
        "unknown_tasks": row.doubtful,
    }


def _day(command: str, option: str, text: str | None) -> datetime.date | None:
    if text is None:
        return None
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise _stop(command, f"{option}: {text!r} is no day such as 2026-11-21") from None


def _amount(option: str, text: str) -> int:
    try:
        return nano(Decimal(text))
    except (InvalidOperation, ValueError):
        raise _stop("reconcile", f"{option}: {text!r} is no amount in dollars, such as 0.01") from None


def _with_money(
    command: str, data: Path | None, database: str | None, work: Callable[[MoneyRoom], Awaitable[Result]]
) -> Result:
    async def run() -> Result:
        try:
            settings = load({"data": str(data) if data else None, "database": database})
            if sqlite_path(settings.database_url) is not None:  # a shared database needs no place here
                DataDirectory(settings.data_directory).make()
            opened = await open_database(settings.database_url)
        except (SettingsInvalid, SchemaTooNew, OSError) as problem:
            raise _stop(command, str(problem)) from None
        try:
            return await work(opened.money)
        finally:
            await opened.close()

    return asyncio.run(run())


def _stop(command: str, message: str) -> typer.Exit:
    typer.echo(f"meshapi {command}: {message}", err=True)
    return typer.Exit(2)
