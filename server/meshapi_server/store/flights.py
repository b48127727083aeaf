"""How many tasks of a key are in flight, decided in the transaction that accepts them."""

from collections.abc import Mapping, Sequence

from meshapi_server.tasks.errors import TooManyTasks
from meshapi_server.tasks.task import Schedule, Task

from .plan import Plan, Read, read

Wish = tuple[Task, Schedule, int | None]
"""A task to be accepted, and how many its key may have in flight; None is no limit."""


def check(wishes: Sequence[Wish]) -> Plan[Mapping[str, TooManyTasks]]:
    """Which tasks are too many for their keys, by their ids; in order, each counts.

    They are counted, not kept as a number that could go astray. The rows of the keys are held, so that
    nobody else counts until this transaction ends. Keys without such a limit are not looked up.
    """
    limited = [(task, schedule.lane, most) for task, schedule, most in wishes if most is not None]
    if not limited:
        return {}
    # A statement of its own: the count sees what was committed before the lock was held.
    yield Read("lock_keys", {"ids": sorted({task.key_id or "" for task, _, _ in limited})}, lock=True)
    rows = yield from read("count_in_flight", names=sorted({lane for _, lane, _ in limited}))
    counts = {lane: count for lane, count in rows}  # noqa: C416 - a row of the database is no pair to dict()
    refused: dict[str, TooManyTasks] = {}
    for task, lane, most in limited:
        known = counts.get(lane, 0)
        if known >= most:
            refused[task.id] = TooManyTasks(
                f"Tasks in flight: {known}. The API key may have {most}; wait for one to end."
            )
        else:
            counts[lane] = known + 1
    return refused
