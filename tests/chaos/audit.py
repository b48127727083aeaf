"""What must hold, at every moment and in the end: pure functions from what was read to violations."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.upstreams.fake import Entry

from . import books
from .snapshot import TERMINAL, AttemptRow, End, Moment, Whole
from .witness import Witness

_SHOWN = 5  # violations of one kind that are told in full


@dataclass(frozen=True)
class Evidence:
    """All that is known when everything has stopped. ``paid`` are the upstreams behind the fake."""

    whole: Whole
    entries: Sequence[Entry]
    witness: Witness
    files: Path
    orphans: Sequence[int]
    paid: frozenset[str]


def at_any_moment(look: Moment) -> list[str]:
    """Violations of what holds in every transaction."""
    found = [f"{task_id} has not ended and nothing drives it" for task_id in look.forsaken]
    held = look.holding
    for name in sorted(held.keys() | look.pools.keys()):
        pool = look.pools.get(name)
        used = 0 if pool is None else pool.used
        if used != held[name]:
            found.append(f"pool {name} says {used} used, and {held[name]} tasks hold its slots")
        if pool is not None and used > pool.capacity:
            found.append(f"pool {name} holds {used} of {pool.capacity}")
    for row in look.schedules:
        if row.status in TERMINAL and row.state not in {"unknown", "cancelling"}:
            found.append(f"{row.id} is {row.status} and its schedule is {row.state}")
        if row.state in {"rendering", "sending"} and row.worker is None:
            found.append(f"{row.id} is {row.state} and nobody does it")
    return found


def between(earlier: Mapping[str, End], later: Mapping[str, End]) -> list[str]:
    """Violations between two looks at what has ended: an end never changes."""
    return [
        f"{task_id} ended as {end} and then as {later[task_id]}"
        for task_id, end in earlier.items()
        if task_id in later and later[task_id] != end
    ]


def in_the_end(evidence: Evidence) -> list[str]:
    """Every violation, of all checks."""
    return [violation for check in CHECKS for violation in _shortened(check(evidence))]


def _shortened(found: list[str]) -> list[str]:
    return found if len(found) <= _SHOWN else [*found[:_SHOWN], f"... and {len(found) - _SHOWN} more like it"]


def _seen(evidence: Evidence) -> list[str]:
    """What callers themselves found contradictory."""
    return evidence.witness.violations


def _nothing_lost(evidence: Evidence) -> list[str]:
    """Every create that was answered 200 exists, unless its caller deleted it; and nothing else does."""
    witness, tasks = evidence.witness, evidence.whole.tasks
    accepted = set(witness.ids.values())
    lost = accepted - witness.deleted - tasks.keys()
    surplus = tasks.keys() - accepted
    undead = witness.deleted & tasks.keys()
    return [
        *(f"{task_id} was accepted and is lost" for task_id in sorted(lost)),
        *(f"{task_id} exists and was given to nobody" for task_id in sorted(surplus)),
        *(f"{task_id} was deleted and is back" for task_id in sorted(undead)),
    ]


def _nothing_stuck(evidence: Evidence) -> list[str]:
    """Everything has ended, for its caller and for its upstream."""
    open_tasks = [row for row in evidence.whole.tasks.values() if row.status not in TERMINAL]
    return [
        *(f"{row.id} ({row.model}) is still {row.status}" for row in open_tasks),
        *(f"{row.id} still has a schedule: {row}" for row in evidence.whole.schedules),
    ]


def _one_task_per_key(evidence: Evidence) -> list[str]:
    """Each idempotency key leads to the task that its caller was given, and no two keys to one."""
    stored = {key: task_id for (_, key), task_id in evidence.whole.keys.items()}
    found = [
        f"key {key} is kept for {stored.get(key)}, and its caller was given {task_id}"
        for key, task_id in evidence.witness.ids.items()
        if stored.get(key) != task_id
    ]
    shared = [task_id for task_id, count in Counter(stored.values()).items() if count > 1]
    return found + [f"{task_id} belongs to several keys" for task_id in shared]


def _paid_once(evidence: Evidence) -> list[str]:
    """No task was accepted twice by a paid upstream, whatever was killed in between."""
    found = []
    accepted: Counter[str] = Counter()
    for entry in evidence.entries:
        if entry.token is None:
            found.append(f"the upstream accepted an order without our mark: {entry.prompt}")
        else:
            accepted[entry.token.partition(".")[0]] += 1
    known = set(evidence.witness.ids.values())
    for task_id, count in accepted.items():
        if count > 1:
            found.append(f"{task_id} was accepted {count} times by paid upstreams")
        if task_id not in known:
            found.append(f"{task_id} was submitted, and no caller was given it")
    succeeded = (row for row in evidence.whole.tasks.values() if row.status == "succeeded")
    unpaid = (row.id for row in succeeded if row.upstream in evidence.paid and not accepted[row.id])
    return found + [f"{task_id} succeeded and no upstream accepted it" for task_id in unpaid]


def _ends_agree(evidence: Evidence) -> list[str]:
    """What callers saw last is what is stored."""
    found = []
    for task_id, (ending, _) in evidence.witness.endings.items():
        row = evidence.whole.tasks.get(task_id)
        if row is not None and (row.status, row.error_code) != (ending.status, ending.code):
            found.append(f"{task_id}: a caller saw {ending}, and stored is {row.status} {row.error_code}")
    return found


def _slots_free(evidence: Evidence) -> list[str]:
    """With nothing in flight no slot is used."""
    return [
        f"pool {pool.name} still has {pool.used} used"
        for pool in evidence.whole.pools.values()
        if pool.used != 0 and not evidence.whole.schedules
    ]


def _timelines(evidence: Evidence) -> list[str]:
    """Attempts of a task follow one another: each ended before the next began, and one was accepted."""
    found = []
    in_flight = {row.id for row in evidence.whole.schedules}
    for task_id, lines in evidence.whole.attempts.items():
        work = [line for line in lines if line.kind != "poll"]
        if task_id not in in_flight:
            found += [f"{task_id}: an attempt never ended: {line}" for line in work if line.ended_at is None]
        found += [f"{task_id}: {problem}" for problem in _overlaps(work)]
        accepted = [line for line in work if line.result == "accepted"]
        if len(accepted) > 1:
            found.append(f"{task_id}: accepted in {len(accepted)} attempts: {accepted}")
        if sum(line.result == "stored" for line in work) > 1:
            found.append(f"{task_id}: its result was stored twice")
    return found


def _overlaps(work: Sequence[AttemptRow]) -> list[str]:
    found = []
    for earlier, later in pairwise(sorted(work, key=lambda line: line.attempt)):
        if earlier.attempt == later.attempt:
            found.append(f"attempt {later.attempt} was given twice")
        if earlier.ended_at is None or earlier.ended_at > later.started_at:
            found.append(f"{earlier} overlaps {later}")
    return found


def _files(evidence: Evidence) -> list[str]:
    """Each succeeded task has its files, whole; nobody else has any."""
    found = []
    tasks = evidence.whole.tasks
    for task_id, row in tasks.items():
        if row.status == "succeeded" and not row.sha256:
            found.append(f"{task_id} succeeded without a video")
        for name, sha256 in row.sha256.items():
            path = evidence.files / task_id / name
            if not path.is_file():
                found.append(f"{task_id} succeeded and has no {name}")
            elif _digest(path) != sha256:
                found.append(f"{path} is not what was stored")
            elif evidence.witness.digests.get(task_id, sha256) != sha256 and name == "video.mp4":
                found.append(f"{task_id}: a caller downloaded something else")
    for directory in sorted(each for each in evidence.files.iterdir() if each.is_dir()):
        owner = tasks.get(directory.name)
        if owner is None:
            found.append(f"{directory.name} was deleted and has files")
        elif owner.status != "succeeded":
            found.append(f"{directory.name} {owner.status} ({owner.error_code}) and has files")
    return found


def _no_orphans(evidence: Evidence) -> list[str]:
    """No renderer outlives the process that started it."""
    return [f"renderer {pid} outlived its server" for pid in evidence.orphans]


def _ledger(evidence: Evidence) -> list[str]:
    """Every sum of the ledger matches: with itself, with the tasks, and with what the upstreams accepted."""
    accepted = {(entry.token or "").partition(".")[0] for entry in evidence.entries}
    return books.in_the_end(evidence.whole, accepted, evidence.paid)


CHECKS: tuple[Callable[[Evidence], list[str]], ...] = (
    _seen,
    _nothing_lost,
    _nothing_stuck,
    _one_task_per_key,
    _paid_once,
    _ends_agree,
    _slots_free,
    _timelines,
    _files,
    _no_orphans,
    _ledger,
)
"""All that must hold in the end."""


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
