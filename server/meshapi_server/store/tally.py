"""How many tasks of a kind an owner has, kept by the transactions that change it.

Counting when asked would cost the list of a million tasks a million steps for its total. The counts are kept
in shards, one for each writer, so that two processes rarely wait for each other's row.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from meshapi_server.tasks.ports import Query
from meshapi_server.tasks.task import Task


class Bucket(NamedTuple):
    """What is counted together: all that a list can be filtered by and that has few values."""

    owner: str
    requested_model: str
    model: str
    status: str
    error_code: str


def bucket_of(task: Task) -> Bucket:
    """Where a task is counted."""
    error = task.outcome.error
    return Bucket(task.owner, task.requested_model, task.model, str(task.status), error.code if error else "")


def tally_rows(changes: Mapping[Bucket, int], shard: int) -> list[dict[str, Any]]:
    """The rows that add ``changes``, in the order in which every transaction locks them."""
    return [
        {
            "owner": bucket.owner,
            "requested_model": bucket.requested_model,
            "model": bucket.model,
            "status": bucket.status,
            "error_code": bucket.error_code,
            "shard": shard,
            "change": changes[bucket],
        }
        for bucket in sorted(changes)
        if changes[bucket]
    ]


def accepted(tasks: Iterable[Task]) -> dict[Bucket, int]:
    """The changes that new tasks make."""
    changes: dict[Bucket, int] = {}
    for task in tasks:
        bucket = bucket_of(task)
        changes[bucket] = changes.get(bucket, 0) + 1
    return changes


def answers(query: Query) -> bool:
    """Whether the tally knows how many tasks a list request selects."""
    return query.created_after is None and query.created_before is None and not query.metadata
