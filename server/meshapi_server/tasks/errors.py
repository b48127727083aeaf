"""What the task rooms refuse, in their own words; the HTTP room gives each its status and code."""

from msgspec import Struct


class Detail(Struct, frozen=True):
    """One complaint about a request: where it is (``loc``) and what would be accepted (``msg``)."""

    type: str
    loc: tuple[str | int, ...]
    msg: str


class StoreDown(Exception):
    """The store did not come back in time. Whether the last write is in is not known."""


class TaskRefusal(Exception):
    """A call that the task service turns down. ``str(refusal)`` is fit for the caller."""


class ModelUnknown(TaskRefusal):
    """No such model in the catalogue, or it is retired."""


def unknown_model(model: str) -> str:
    """What is said of a model that does not exist, or of which the caller is not to know."""
    return f"There is no model {model[:200]!r}; see GET /v1/models."


class ProviderOff(TaskRefusal):
    """The model exists but nothing can serve it here."""


class RequestInvalid(TaskRefusal):
    """The request contradicts itself or the model's card; nothing was stored and nothing spent."""

    def __init__(self, details: tuple[Detail, ...]) -> None:
        super().__init__(details[0].msg if len(details) == 1 else f"{len(details)} problems; see details")
        self.details = details


class IdempotencyMismatch(TaskRefusal):
    """The Idempotency-Key was used before with another body."""


class TooManyTasks(TaskRefusal):
    """The key has as many tasks in flight as it may; nothing was stored and nothing spent."""

    retry_after = 5  # s; nobody knows when a task will end


class TaskMissing(TaskRefusal):
    """No such task for this owner."""


class TooExpensive(TaskRefusal):
    """The request costs more than it may, or its price is not known; nothing was spent."""


class OverBudget(TooExpensive):
    """What the request may cost does not fit into its key's budget; nothing was stored and nothing spent."""


class TaskBusy(TaskRefusal):
    """The task has ended, but its upstream has yet to be told to stop, so it cannot be removed yet."""


class TaskEnded(TaskRefusal):
    """The task has already ended, so it cannot be cancelled."""
