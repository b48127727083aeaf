"""An upstream's invoice against the ledger, matched by the upstream's own task ids. Pure."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Literal, Protocol
from urllib.parse import unquote

from msgspec import Struct

from meshapi_server.tasks.price import dollars, nano

Problem = Literal["not in the ledger", "another amount", "was in doubt", "not on the invoice"]


class InvoiceInvalid(ValueError):
    """The file cannot be read as an invoice; the message names the line or the column."""


class Charge(Struct, frozen=True, kw_only=True):
    """What the ledger says that one task cost at its upstream, in nano-dollars.

    ``doubtful``: it is not known whether it was charged, and ``amount`` is what it may have cost.
    """

    task_id: str
    reference: str | None
    model: str
    amount: int
    doubtful: bool


class ChargeStore(Protocol):
    """Where charges live."""

    async def charges_by_reference(self, upstream: str, references: Sequence[str]) -> Sequence[Charge]:
        """What ended at an upstream under these ids of its own, or under ours where it named none."""
        ...

    async def charges_between(self, upstream: str, since: int, before: int) -> Sequence[Charge]:
        """What ended at an upstream in this time (ms since the epoch; ``before`` is excluded)."""
        ...

    async def book(self, task_id: str, cost: int) -> bool:
        """Decide a doubt: the task cost so many nano-dollars. False when there is no doubt (any more)."""
        ...


class Difference(Struct, frozen=True, kw_only=True):
    """Where the two disagree. Amounts are nano-dollars; None is no such line."""

    problem: Problem
    reference: str
    task_id: str | None = None
    model: str | None = None
    ours: int | None = None
    theirs: int | None = None

    def sentence(self) -> str:
        """The difference in words."""
        theirs = "-" if self.theirs is None else dollars(self.theirs)
        ours = "-" if self.ours is None else dollars(self.ours)
        task = f"  {self.task_id} ({self.model})" if self.task_id else ""
        return f"{self.problem:18}  {self.reference}  invoice {theirs} USD, ledger {ours} USD{task}"


def upstream_id(reference: str) -> str:
    """The id by which an invoice knows a task: some adapters keep an address, of which it is the end."""
    return unquote(reference.rstrip("/").rpartition("/")[2])


def read_invoice(text: str, id_column: str, amount_column: str) -> dict[str, int]:
    """The sum of each id on an invoice in CSV, in nano-dollars. Raises InvoiceInvalid.

    Several lines of one id are added; a line without an id (a monthly fee, say) is left out.
    """
    try:
        return _sums(csv.DictReader(io.StringIO(text)), id_column, amount_column)
    except csv.Error as problem:
        raise InvoiceInvalid(f"the file is no CSV: {problem}") from None


def _sums(reader: "csv.DictReader[str]", id_column: str, amount_column: str) -> dict[str, int]:
    known = list(reader.fieldnames or ())
    for column in (id_column, amount_column):
        if column not in known:
            raise InvoiceInvalid(f"there is no column {column!r}; the file has {', '.join(known) or 'none'}")
    sums: dict[str, int] = {}
    for row in reader:
        reference = upstream_id((row[id_column] or "").strip())
        if not reference:
            continue
        written = (row[amount_column] or "").strip()
        try:
            amount = nano(Decimal(written.removeprefix("$")))
        except (InvalidOperation, ValueError):
            raise InvoiceInvalid(
                f"line {reader.line_num}: {written[:40]!r} is no amount in dollars, such as 0.35"
            ) from None
        sums[reference] = sums.get(reference, 0) + amount
    return sums


def compare(invoice: Mapping[str, int], charges: Iterable[Charge], tolerance: int = 0) -> list[Difference]:
    """Where invoice and ledger differ by more than ``tolerance`` nano-dollars, in the order of their ids.

    ``charges`` that have no id at the upstream were accepted by nobody that told us, and stand on no invoice.
    """
    ours: dict[str, list[Charge]] = {}
    for charge in charges:
        if charge.reference is not None:
            ours.setdefault(charge.reference, []).append(charge)
    found: list[Difference] = []
    for reference in sorted(invoice.keys() | ours.keys()):
        lines = ours.get(reference, [])
        theirs = invoice.get(reference)
        problem = _problem(theirs, lines, tolerance)
        if problem is not None:
            found.append(
                Difference(
                    problem=problem,
                    reference=reference,
                    task_id=lines[0].task_id if lines else None,
                    model=lines[0].model if lines else None,
                    ours=sum(line.amount for line in lines) if lines else None,
                    theirs=theirs,
                )
            )
    return found


def _problem(theirs: int | None, lines: Sequence[Charge], tolerance: int) -> Problem | None:
    if not lines:
        return "not in the ledger"
    if any(line.doubtful for line in lines):
        return "was in doubt"
    amount = sum(line.amount for line in lines)
    if theirs is None:
        return "not on the invoice" if amount > tolerance else None
    return "another amount" if abs(theirs - amount) > tolerance else None
