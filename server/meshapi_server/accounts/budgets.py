"""Whether what a task may cost fits into its key's budget. Pure; the store asks while it holds the rows."""

from msgspec import Struct

from meshapi_server.tasks.price import Budget, dollars


class Used(Struct, frozen=True, kw_only=True):
    """What is gone of a budget, in nano-dollars: held for tasks in flight, and spent (or perhaps spent)."""

    held: int = 0
    spent: int = 0

    def with_held(self, amount: int) -> "Used":
        """The same with so much more held."""
        return Used(held=self.held + amount, spent=self.spent)


def refusal(budget: Budget, cost: int, today: Used, ever: Used) -> str | None:
    """Why a task that costs up to ``cost`` must not begin; None when it fits."""
    for limit, used, what in ((budget.per_day, today, " per day (UTC)"), (budget.total, ever, "")):
        if limit is None:
            continue
        left = limit - used.held - used.spent
        if cost > left:
            held = f", {dollars(used.held)} USD of it held for tasks in flight" if used.held else ""
            return (
                f"The request costs up to {dollars(cost)} USD; of the key's budget of {dollars(limit)} USD"
                f"{what} there are {dollars(max(0, left))} USD left"
                f" ({dollars(used.held + used.spent)} USD used{held})."
            )
    return None
