"""What must hold of money: pure functions from what was read to violations. Amounts are nano-dollars."""

from collections import Counter
from collections.abc import Mapping, Set
from decimal import Decimal

from .cards import PRICE_USD
from .snapshot import TERMINAL, LedgerRow, Moment, Money, TaskRow, Whole

PRICE = int(Decimal(PRICE_USD) * 10**9)
Balances = Mapping[str, int]
_NONE: Balances = Counter()
_OURS = frozenset({"cancelled", "expired", "submission_unknown"})  # ends that no upstream speaks of


def at_any_moment(look: Moment, paid: Set[str]) -> list[str]:
    """The price of each task that goes on at a paid upstream is held, and nothing else."""
    going_on = sum(count for upstream, count in look.going_on.items() if upstream in paid)
    if look.held == going_on * PRICE:
        return []
    return [f"{look.held} is held, and {going_on} priced tasks go on"]


def in_the_end(whole: Whole, accepted: Set[str], paid: Set[str]) -> list[str]:
    """Nothing is held, every task's money is where its end says, and the sums are those of the ledger."""
    by_task = _balances(whole.money.ledger)
    return [
        *_wrong_lines(whole.money.ledger),
        *(problem for task_id, sums in by_task.items() for problem in _account(task_id, sums, accepted)),
        *(problem for row in whole.tasks.values() for problem in _task(row, by_task, accepted, paid)),
        *_sums(whole.money),
    ]


def figures(money: Money) -> Mapping[str, object]:
    """What was settled and what stayed in doubt, counted in videos."""
    totals: Counter[str] = Counter()
    for row in money.ledger:
        totals[row.source] -= row.amount
        totals[row.target] += row.amount
    return {
        "ledger lines": len(money.ledger),
        "videos settled, in doubt, held": tuple(
            totals[account] / PRICE for account in ("spent", "unknown", "held")
        ),
    }


def _balances(ledger: list[LedgerRow]) -> Mapping[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for row in ledger:
        sums = found.setdefault(row.task_id, Counter())
        sums[row.source] -= row.amount
        sums[row.target] += row.amount
    return found


def _wrong_lines(ledger: list[LedgerRow]) -> list[str]:
    """Each line moves an amount that is one."""
    return [f"a line that moves nothing or backwards: {row}" for row in ledger if row.amount <= 0]


def _account(task_id: str, sums: Balances, accepted: Set[str]) -> list[str]:
    """A task, also one that was deleted: it holds nothing, and costs its price or nothing."""
    found = []
    if sums["held"]:
        found.append(f"{task_id} has ended and {sums['held']} is held for it")
    if sums["spent"] + sums["unknown"] not in {0, PRICE}:
        found.append(f"{task_id} cost {sums['spent']}, and {sums['unknown']} in doubt")
    if sums["spent"] and task_id not in accepted:
        found.append(f"{task_id} was settled, and no upstream accepted it")
    return found


def _task(row: TaskRow, by_task: Mapping[str, Balances], accepted: Set[str], paid: Set[str]) -> list[str]:
    """The task's own words agree with its account."""
    sums = by_task.get(row.id, _NONE)
    if row.status not in TERMINAL:
        return []
    if row.upstream not in paid:
        return (
            [] if row.cost_usd == "0" and not sums else [f"{row.id} is free and cost {row.cost_usd}, {sums}"]
        )
    if row.id not in by_task:
        return [f"{row.id} has a price and no line in the ledger"]
    if row.status == "failed" and row.charged not in {"yes", "no", "unknown"}:
        return [f"{row.id} failed and does not say whether it was charged"]
    charged = "yes" if row.status == "succeeded" else row.charged
    wanted = {"yes": (PRICE, 0), "no": (0, 0), "unknown": (0, PRICE)}[charged or "unknown"]
    cost = {"yes": PRICE_USD, "no": "0", "unknown": None}[charged or "unknown"]
    found = []
    if (sums["spent"], sums["unknown"]) != wanted:
        found.append(f"{row.id} {row.status} (charged: {charged}), and its account is {dict(sums)}")
    if row.cost_usd != cost:
        found.append(f"{row.id} {row.status} (charged: {charged}) and says that it cost {row.cost_usd}")
    if charged == "no" and row.id in accepted and row.error_code in _OURS:
        found.append(f"{row.id} {row.error_code}: an upstream has accepted it, and it claims to be free")
    return found


def _sums(money: Money) -> list[str]:
    """What is kept of keys and models is what the lines add up to."""
    keys: dict[str, Counter[str]] = {}
    models: dict[tuple[str, str], Counter[str]] = {}
    for row in money.ledger:
        for sums in (
            keys.setdefault(row.key_id, Counter()),
            models.setdefault((row.key_id, row.model), Counter()),
        ):
            sums[row.source] -= row.amount
            sums[row.target] += row.amount
    found = []
    for key_id, sums in keys.items():
        if sum(sums.values()):
            found.append(f"the accounts of {key_id} sum to {sum(sums.values())}")
        wanted = (sums["held"], sums["spent"] + sums["unknown"])
        rows = [row for row in money.spending if row.key_id == key_id]
        for name, kept in (
            ("in all", [row for row in rows if row.day == -1]),
            ("by day", [row for row in rows if row.day != -1]),
        ):
            told = (sum(row.held for row in kept), sum(row.spent for row in kept))
            if told != wanted:
                found.append(f"{key_id} has used {told} {name}, and its lines say {wanted}")
    for usage in money.usage:
        lines = models.get((usage.key_id, usage.model), _NONE)
        if (usage.held, usage.spent, usage.unknown) != (lines["held"], lines["spent"], lines["unknown"]):
            found.append(f"{usage} is told, and its lines say {dict(lines)}")
    told_models = {(usage.key_id, usage.model) for usage in money.usage}
    return found + [f"{place} has lines and no usage" for place in models if place not in told_models]
