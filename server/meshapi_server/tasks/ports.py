"""What the task rooms need from outside: a store and a place for files. Implemented elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from msgspec import Struct

from .life import Step
from .limits import Pool, PoolState
from .price import UNLIMITED, Budget, Price
from .spec import Spec
from .states import Event, State
from .task import Attempt, Claim, Measured, Route, Schedule, StoredFile, Task

EMPTY: Mapping[int, str] = MappingProxyType({})
ONE_BY_ONE: Mapping[str, int] = MappingProxyType({})


class Idempotency(Struct, frozen=True, kw_only=True):
    """A caller's Idempotency-Key with the fingerprint (sha256) of the body that came with it."""

    key: str
    fingerprint: bytes


class Created(Struct, frozen=True, kw_only=True):
    """``response`` is the first answer's bytes; ``replayed`` tells that an earlier call made the task."""

    task_id: str
    response: bytes
    replayed: bool


class Query(Struct, frozen=True, kw_only=True):
    """A list request (wire.md section 6). Times are milliseconds; ``after`` is a task id (keyset cursor).

    ``errors`` restricts failed tasks to those error codes (the aliases ``expired`` and ``cancelled``).
    """

    limit: int = 50
    offset: int = 0
    statuses: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    created_after: int | None = None
    created_before: int | None = None
    after: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()


class Page(Struct, frozen=True, kw_only=True):
    """One page, newest first. ``total`` counts every task that the filters select, whatever the page.

    With time or metadata filters it is counted up to 10,000, so that no list takes for ever.
    """

    tasks: tuple[Task, ...]
    total: int
    has_more: bool


class Waiting(Struct, frozen=True, kw_only=True):
    """A queued task with its place (``rank``, then the id) and its routes, of which ``route`` is in use.

    ``lane`` is the pool of its key's own limit, empty when there is none.
    """

    task_id: str
    rank: int
    lane: str
    route: int
    routes: tuple[Route, ...]


class Detour(Struct, frozen=True, kw_only=True):
    """The wish that a task which waits for ``upstream``, its route ``route``, goes on to the route ``to``."""

    task_id: str
    upstream: str
    route: int
    to: int


class Hints(Protocol):
    """Word from other processes on the same store. A hint may come late, twice or never."""

    def announce(self, task_id: str) -> None:
        """Tell the others that a task changed. Returns at once; sent with others, outside of any commit."""
        ...

    def ring(self) -> None:
        """Tell the workers that there is something to claim. Returns at once."""
        ...

    def listen(self, changed: Callable[[str], None], rung: Callable[[], None]) -> None:
        """Call ``changed`` with the id of every task that another process announced, ``rung`` for a bell."""
        ...


class Store(Protocol):
    """The durable state. Every method that writes has committed when it returns."""

    async def create(
        self,
        task: Task,
        schedule: Schedule,
        response: bytes,
        idempotency: Idempotency | None,
        inputs: Mapping[int, str] = EMPTY,
        budget: Budget = UNLIMITED,
        most_in_flight: int | None = None,
    ) -> Created:
        """Store the task, its schedule, its inline inputs and the idempotency record in one commit.

        What the task may cost is held for it in the same commit. ``inputs`` are data URIs by the index of
        their content item. Raises IdempotencyMismatch when the key is known with another fingerprint, and
        OverBudget when what the task may cost does not fit into ``budget``, the one of its key,
        and TooManyTasks when the key has ``most_in_flight`` tasks that have not ended.
        """
        ...

    async def replay(self, owner: str, idempotency: Idempotency) -> Created | None:
        """The first answer given under this key, if there is one. Raises IdempotencyMismatch."""
        ...

    async def get(self, owner: str, task_id: str) -> Task | None:
        """The owner's task."""
        ...

    async def get_by_request(self, owner: str, request_id: str) -> Task | None:
        """The owner's newest task whose create call carried this request id."""
        ...

    async def inputs(self, task_id: str) -> Mapping[int, str]:
        """The task's inline inputs: data URIs by the index of their content item."""
        ...

    async def timeline(self, task_id: str) -> Sequence[Attempt]:
        """Every attempt at the task, oldest first, with the looks so far at one that is being polled."""
        ...

    async def queue_positions(self, tasks: Sequence[Task]) -> Mapping[str, int]:
        """For each task that waits for a slot: how many are served before it (0 is next)."""
        ...

    async def page(self, owner: str, query: Query) -> Page:
        """A page of the owner's tasks."""
        ...

    async def delete(self, owner: str, task_id: str, now: int) -> Task | None:
        """Remove an ended task with all that belongs to it, and note that its files may go.

        None when there is none, when it has not ended, or while its upstream has yet to be told to stop.
        """
        ...

    async def unneeded_files(self, task_ids: Sequence[str]) -> frozenset[str]:
        """Those of these tasks whose files may go, because the store itself knows that nobody needs them.

        They were deleted, their files were removed, or they failed after having been rendered or fetched.
        A task that the store does not know is none of them: it may be another store's.
        """
        ...

    async def claim(
        self,
        event: Event,
        *,
        upstreams: Sequence[str],
        worker: str,
        now: int,
        lease_until: int,
        limit: int,
        looks_at_once: Mapping[str, int] = ONE_BY_ONE,
    ) -> list[Claim]:
        """Take up to ``limit`` due tasks of these upstreams in one commit.

        A claim to render or to submit takes the highest priority first, within the slots of the upstream
        and of the key's lane, and, to submit, within the upstream's rate; a poll goes by the rate of the
        pool ``polls:<upstream>``, against which one call counts once: ``looks_at_once`` says how many tasks
        it covers, of upstreams where it is more than one.
        """
        ...

    async def step(self, task_id: str, step: Step, now: int, *, owner: str | None = None) -> Task | None:
        """Apply a step (tasks/life.py); None when it changed nothing. ``owner`` limits whose it is."""
        ...

    async def cancel(self, owner: str, task_id: str, now: int) -> Task | None:
        """End the task by CANCELLED, or, while it is being sent, note the wish: the answer will end it.

        One commit decides which of the two. None when the task did not end by this call.
        """
        ...

    async def wake(self, task_id: str, now: int) -> bool:
        """Have the task looked at now: its upstream announced a change. False when none is waited for."""
        ...

    async def schedule(self, task_id: str) -> Schedule | None:
        """The schedule row; None when nothing is left to do for the task."""
        ...

    async def reap(self, now: int, *, reconcile_within: int, all_leases: bool = False) -> list[Task]:
        """Free every lost lease (``all_leases``: every lease); returns what callers see changed.

        A submission whose lease was lost is given up after ``reconcile_within`` ms.
        """
        ...

    async def expire(self, now: int) -> list[Task]:
        """End every task whose time is up, and give up what is past ``give_up_at``."""
        ...

    async def set_pools(self, pools: Sequence[Pool]) -> None:
        """Set the limits of pools; what is in use stays counted."""
        ...

    async def pause(self, pool: str, until: int) -> None:
        """Let nothing through this pool before ``until`` (ms); never shortens a pause."""
        ...

    async def ping(self) -> None:
        """Return when the store answers. Raises otherwise."""
        ...

    async def count_states(self) -> Mapping[State, int]:
        """How many schedule rows are in each state."""
        ...

    async def pools(self, names: Sequence[str]) -> Mapping[str, PoolState]:
        """Those of these pools that there are."""
        ...

    async def waiting(self, upstream: str, after: tuple[int, str], now: int, most: int) -> Sequence[Waiting]:
        """Due tasks that wait for an upstream, in the order of its queue, behind the place ``after``."""
        ...

    async def detour(self, wishes: Sequence[Detour], now: int) -> Sequence[Task]:
        """Move queued tasks on to a later route, in one commit; those that still wait as their wish says."""
        ...

    async def sweep_idempotency(self, before: int) -> int:
        """Forget idempotency records older than ``before``; returns how many."""
        ...


class Prepared(Struct, frozen=True, kw_only=True):
    """A request fitted to its model's card, and who serves it.

    ``spec`` holds the card's defaults where the caller left a parameter out; ``unsupported`` names the
    parameters that were dropped. ``routes`` are the upstreams that may be asked, in order; the first one's
    ``model`` differs from ``spec.model`` when the task is simulated. ``price`` is the most that any of them
    costs.
    """

    spec: Spec
    unsupported: tuple[str, ...]
    routes: tuple[Route, ...]
    price: Price


class Models(Protocol):
    """The catalogue, seen by the task rooms."""

    def prepare(self, spec: Spec) -> Prepared:
        """Fit a request to its model, with its price.

        Raises ModelUnknown, ProviderOff or RequestInvalid.
        """
        ...


class Files(Protocol):
    """Where results live."""

    def workspace(self, name: str) -> Path:
        """A fresh private directory for one attempt."""
        ...

    async def measure(self, video: Path) -> Measured:
        """What a video in a workspace is, whatever an upstream says of it."""
        ...

    async def adopt(self, task_id: str, name: str, source: Path) -> StoredFile:
        """Take a finished local file over: durable, and there as a whole, when this returns."""
        ...

    async def discard(self, workspace: Path) -> None:
        """Remove a workspace with everything in it."""
        ...

    async def remove(self, task_id: str) -> None:
        """Remove every file of a task."""
        ...
