"""What the ledger knows, read: usage by key, model and day, and what tasks cost at an upstream."""

from collections.abc import Iterable, Sequence

from meshapi_server.accounts.invoices import Charge
from meshapi_server.accounts.usage import UsageRow

from . import accounting
from .plan import Row, read
from .planned import PlannedStore

_AT_ONCE = 500  # ids that are looked up in one statement


class StoredMoney:
    """Implements UsageStore (accounts/usage.py) and ChargeStore (accounts/invoices.py)."""

    def __init__(self, store: PlannedStore) -> None:
        self._store = store

    async def usage(self, owner: str | None, first: int, last: int) -> Sequence[UsageRow]:
        """The sums of these days (see the port)."""
        if owner is None:
            rows = await self._store.scan(lambda: read("usage_of_all", first=first, last=last))
        else:
            rows = await self._store.scan(lambda: read("usage_of_owner", owner=owner, first=first, last=last))
        names = UsageRow.__struct_fields__
        found = [UsageRow(**dict(zip(names, row, strict=True))) for row in rows]
        return [row for row in found if row.tasks or row.held or row.spent or row.doubtful]

    async def charges_by_reference(self, upstream: str, references: Sequence[str]) -> Sequence[Charge]:
        """What ended under these ids (see the port)."""
        rows: list[Row] = []
        for start in range(0, len(references), _AT_ONCE):
            rows += await self._lines(upstream, list(references[start : start + _AT_ONCE]))
        return _charges(rows)

    async def charges_between(self, upstream: str, since: int, before: int) -> Sequence[Charge]:
        """What ended in this time (see the port)."""
        rows = await self._store.scan(
            lambda: read("charges_of_upstream", upstream=upstream, since=since, before=before)
        )
        return _charges(rows)

    async def book(self, task_id: str, cost: int) -> bool:
        """Decide a doubt (see the port)."""
        return await self._store.change(lambda shard: accounting.book(task_id, cost, shard))

    async def _lines(self, upstream: str, references: list[str]) -> Sequence[Row]:
        return await self._store.scan(
            lambda: read("charges_by_reference", upstream=upstream, references=references)
        )


def _charges(rows: Iterable[Row]) -> list[Charge]:
    """The lines of each task put together."""
    lines: dict[str, list[Row]] = {}
    for row in rows:
        lines.setdefault(row[0], []).append(row)
    return [_charge(task_id, mine) for task_id, mine in lines.items()]


def _charge(task_id: str, mine: Sequence[Row]) -> Charge:
    kinds = {kind for _, _, _, kind, _, _ in mine}
    doubtful = "doubt" in kinds and "book" not in kinds
    target = "unknown" if doubtful else "spent"
    return Charge(
        task_id=task_id,
        reference=mine[0][1],
        model=mine[0][2],
        amount=sum(amount for *_, to, amount in mine if to == target),
        doubtful=doubtful,
    )
