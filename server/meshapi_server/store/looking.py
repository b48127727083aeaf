"""The plans that only look: pages, places in the queue, timelines."""

from collections.abc import Mapping, Sequence

from meshapi_server.tasks.ports import Page, Query
from meshapi_server.tasks.states import State
from meshapi_server.tasks.task import Attempt, Task

from . import filters, tally
from .plan import Plan, Read, read
from .queue_heads import Head
from .rows import read_attempt, read_schedule, read_task
from .statements import Dialect

POSITIONS_COUNTED = 1000
POSITIONS_EXACT = 32  # of a task that is asked for alone; further back its place may be a second old
TOTAL_COUNTED = 10_000  # tasks that are counted one by one, where the tally does not know how many there are


def page(owner: str, query: Query, dialect: Dialect) -> Plan[Page]:
    """A page of the owner's tasks, newest first, and how many there are."""
    clause, values = filters.where(owner, query, dialect)
    narrowed, cursor = filters.after(clause, values, query.after)
    if tally.answers(query):
        counted = yield Read("sum_tally", values, {"filters": clause})
    else:
        counted = yield Read("count_tasks", {**values, "most": TOTAL_COUNTED}, {"filters": clause})
    window = {**cursor, "limit": query.limit + 1, "offset": query.offset}
    rows = yield Read("list_tasks", window, {"filters": narrowed})
    tasks = tuple(read_task(row) for row in rows[: query.limit])
    return Page(tasks=tasks, total=counted[0][0], has_more=len(rows) > query.limit)


def timeline(task_id: str) -> Plan[list[Attempt]]:
    """Every attempt at a task, and the looks so far if it is being polled."""
    rows = yield from read("get_timeline", task_id=task_id)
    lines = [read_attempt(row) for row in rows]
    held = yield from read("get_schedule", id=task_id)
    schedule = read_schedule(held[0]) if held else None
    if schedule is not None and schedule.state is State.POLLING:
        models = yield from read("get_model", id=task_id)
        lines += [
            Attempt(
                task_id=task_id,
                attempt=schedule.attempt,
                kind="poll",
                upstream=schedule.upstream,
                model=model,
                started_at=schedule.accepted_at or schedule.due,
                polls=schedule.polls,
            )
            for (model,) in models
        ]
    return lines


def queue_head(upstream: str) -> Plan[Head]:
    """The first POSITIONS_COUNTED of an upstream's queue."""
    rows = yield from read("queue_head", upstream=upstream, most=POSITIONS_COUNTED)
    return Head({task_id: place for place, (task_id,) in enumerate(rows)}, len(rows) == POSITIONS_COUNTED)


def queue_positions(tasks: Sequence[Task]) -> Plan[Mapping[str, int]]:
    """The same for many tasks: each queue's head is read once instead of once for each task."""
    places: dict[str, int] = {}
    beyond: list[str] = []
    for upstream in sorted({task.upstream for task in tasks}):
        head = yield from queue_head(upstream)
        mine = [task.id for task in tasks if task.upstream == upstream]
        places |= {task_id: head.places[task_id] for task_id in mine if task_id in head.places}
        if head.full:
            beyond += [task_id for task_id in mine if task_id not in head.places]
    if beyond:
        rows = yield from read("queued_among", ids=beyond)
        places |= {task_id: POSITIONS_COUNTED for (task_id,) in rows}
    return places
