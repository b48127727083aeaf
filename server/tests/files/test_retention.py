"""How long files are shown: the rules, without a clock of their own."""

import pytest

from meshapi_server.files.retention import DAY, Retention
from meshapi_server.tasks.states import Status
from meshapi_server.tasks.task import Task

from ..samples import NOW, outcome, task


def succeeded(**fields: object) -> Task:
    return task(status=Status.SUCCEEDED, completed_at=NOW, outcome=outcome(), **fields)


@pytest.mark.parametrize(
    ("results", "tasks", "days"), [(0, 0, None), (3, 0, 3), (0, 5, 5), (3, 5, 3), (9, 5, 5), (0.5, 0, 0.5)]
)
def test_files_are_kept_as_long_as_both_they_and_their_task_are(
    results: float, tasks: float, days: float | None
) -> None:
    kept = Retention.of_days(results=results, tasks=tasks, inputs=0)
    assert kept.files_until(succeeded()) == (None if days is None else NOW + days * DAY)


def test_files_are_there_until_the_very_millisecond() -> None:
    kept = Retention.of_days(results=1, tasks=0, inputs=0)
    assert kept.has_files(succeeded(), NOW + DAY - 1)
    assert not kept.has_files(succeeded(), NOW + DAY)


def test_files_that_were_removed_stay_removed_whatever_is_set_later() -> None:
    gone = succeeded(files_removed_at=NOW + 5)
    for days in (0, 1, 1000):
        kept = Retention.of_days(results=days, tasks=0, inputs=0)
        assert (kept.files_until(gone), kept.has_files(gone, NOW + 5)) == (NOW + 5, False)


@pytest.mark.parametrize("status", [Status.PENDING, Status.RUNNING, Status.FAILED])
def test_what_has_no_files_has_no_end_of_them(status: Status) -> None:
    ended = NOW if status is Status.FAILED else None
    kept = Retention.of_days(results=1, tasks=1, inputs=1)
    assert kept.files_until(task(status=status, completed_at=ended)) is None
