"""The bytes of a task: encoded once for each state of a task that goes on, anew for one that has ended."""

import json

import pytest
from msgspec.structs import replace

from meshapi_server.api import task_bodies
from meshapi_server.api.task_bodies import TaskBodies
from meshapi_server.api.view import TaskView
from meshapi_server.files.links import Links
from meshapi_server.tasks.states import Status

from .. import samples
from ..samples import HandClock


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def bodies(clock: HandClock) -> TaskBodies:
    return TaskBodies(TaskView(Links("http://x", b"secret", clock), clock=clock))


def test_a_task_that_did_not_change_is_the_same_bytes(bodies: TaskBodies) -> None:
    task = samples.task()
    assert bodies.encode(task, 3, with_request_id=False) is bodies.encode(task, 3, with_request_id=False)


def test_every_change_is_told(bodies: TaskBodies) -> None:
    task = samples.task()
    running = replace(task, status=Status.RUNNING, progress=0.5, version=task.version + 1)
    other = replace(task, id=samples.task().id[:-4] + "0000")
    told = [
        bodies.encode(task, 3, with_request_id=False),
        bodies.encode(task, 2, with_request_id=False),
        bodies.encode(task, None, with_request_id=False),
        bodies.encode(task, 3, with_request_id=True),
        bodies.encode(running, None, with_request_id=False),
        bodies.encode(other, 3, with_request_id=False),
    ]
    shown = [json.loads(each.body) for each in told]
    assert [each["queue_position"] for each in shown] == [3, 2, None, 3, None, 3]
    assert ["request_id" in each for each in shown] == [False, False, False, True, False, False]
    assert [each["status"] for each in shown] == ["pending"] * 4 + ["running", "pending"]
    assert shown[5]["id"] == other.id
    assert len({each.etag for each in told}) == len(told)


def test_the_links_of_an_ended_task_go_with_the_hour(bodies: TaskBodies, clock: HandClock) -> None:
    task = samples.task(status=Status.SUCCEEDED, completed_at=clock(), outcome=samples.outcome())
    first = json.loads(bodies.encode(task, None, with_request_id=False).body)
    clock.now += 7_200_000
    later = json.loads(bodies.encode(task, None, with_request_id=False).body)
    assert first["content"]["video_url"] != later["content"]["video_url"]


def test_what_is_kept_is_bounded(bodies: TaskBodies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_bodies, "_MOST_KEPT", 3)
    for place in range(10):
        bodies.encode(samples.task(), place, with_request_id=False)
        assert len(bodies._kept) <= 3
