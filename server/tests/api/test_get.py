"""GET /v1/video/generations/{id}: waiting, ETag, not modified (wire.md section 5)."""

import threading
import time

import pytest

from ..serving import GENERATIONS, Caller, error


def path(task: dict[str, str]) -> str:
    return f"{GENERATIONS}/{task['id']}"


def test_without_a_wait_the_task_is_told_as_it_is(caller: Caller) -> None:
    task = caller.create()
    begun = time.monotonic()
    assert caller.task(task["id"])["status"] in {"pending", "running"}
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "asked",
    [
        {"params": {"wait": 20}},
        {"headers": {"prefer": "wait=20"}},
        {"headers": {"prefer": "respond-async, wait=20"}},
        {"headers": {"prefer": "wait=99999"}},
    ],
    ids=str,
)
def test_a_wait_is_answered_as_soon_as_the_task_has_ended(caller: Caller, asked: dict[str, object]) -> None:
    task = caller.create("sandbox/fails")
    begun = time.monotonic()
    found = caller.task(task["id"], **asked)
    assert (found["status"], found["error"]["code"]) == ("failed", "upstream_error")
    assert time.monotonic() - begun < 15


def test_a_wait_that_is_over_answers_200_with_the_task_as_it_is(caller: Caller) -> None:
    task = caller.create()
    begun = time.monotonic()
    found = caller.task(task["id"], params={"wait": 1})
    assert found["status"] == "running"
    assert 0.9 < time.monotonic() - begun < 10


def test_a_wait_ends_when_somebody_else_cancels(caller: Caller) -> None:
    task = caller.create()
    threading.Timer(0.3, lambda: caller.cancel(task)).start()
    assert caller.task(task["id"], params={"wait": 20})["error"]["code"] == "cancelled"


def test_an_ended_task_is_not_waited_for(caller: Caller) -> None:
    task = caller.create()
    caller.stop(task)
    begun = time.monotonic()
    caller.task(task["id"], params={"wait": 60})
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("wait", ["-1", "61", "1.5", "soon", "", "9" * 100])
def test_a_wait_outside_0_to_60_is_422(caller: Caller, wait: str) -> None:
    task = caller.create()
    found = error(caller.get(path(task), params={"wait": wait}), 422, "validation_error")
    assert found["details"][0]["loc"] == ["query", "wait"]
    assert "60" in found["message"]


@pytest.mark.parametrize(
    "prefer", ["wait", "wait=", "wait=-1", "wait=abc", "await=5", "respond-async", "wait=1e3"]
)
def test_a_preference_that_is_not_understood_is_ignored(caller: Caller, prefer: str) -> None:
    begun = time.monotonic()
    caller.task(caller.create()["id"], headers={"prefer": prefer})
    assert time.monotonic() - begun < 5


def test_an_unchanged_task_is_304_without_a_body_and_a_changed_one_is_200(caller: Caller) -> None:
    task = caller.until(caller.create(), lambda found: found["status"] == "running")
    first = caller.get(path(task))
    etag = first.headers["etag"]
    same = caller.get(path(task), headers={"if-none-match": etag})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
    assert "content-length" not in same.headers
    caller.cancel(task)
    changed = caller.get(path(task), headers={"if-none-match": etag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag


@pytest.mark.parametrize("form", ["{0}", "W/{0}", '"other", {0}', '"other",{0} , "more"', "*"])
def test_every_form_of_if_none_match_is_understood(caller: Caller, form: str) -> None:
    task = caller.create()
    caller.stop(task)
    etag = caller.get(path(task)).headers["etag"]
    assert caller.get(path(task), headers={"if-none-match": form.format(etag)}).status_code == 304


@pytest.mark.parametrize("header", ['"other"', "", "nonsense", "W/"])
def test_another_etag_gets_the_task(caller: Caller, header: str) -> None:
    task = caller.create()
    caller.stop(task)
    assert caller.get(path(task), headers={"if-none-match": header}).status_code == 200


def test_the_two_versions_have_etags_of_their_own(caller: Caller) -> None:
    task = caller.create()
    caller.stop(task)
    etag = caller.get(path(task)).headers["etag"]
    later = caller.get(path(task), headers={"if-none-match": etag, "x-mesh-version": "2026-09"})
    assert later.status_code == 200


def test_a_task_that_waits_says_how_many_are_served_before_it(server_full: Caller) -> None:
    first, second, third = (
        server_full.create("mesh/diorama-1", frames=1440, resolution="4k") for _ in range(3)
    )
    server_full.until(first, lambda found: found["status"] == "running")
    assert server_full.task(first["id"])["queue_position"] is None
    assert server_full.task(second["id"])["queue_position"] == 0
    assert server_full.task(third["id"])["queue_position"] == 1
    listed = server_full.get(GENERATIONS).json()["data"]
    assert [task["queue_position"] for task in listed] == [1, 0, None]
    for task in (first, second, third):
        server_full.cancel(task)


@pytest.mark.parametrize(
    ("model", "code"),
    [("sandbox/moderated", "content_policy_violation"), ("sandbox/fails", "upstream_error")],
)
def test_a_failed_task_is_http_200_with_its_error(caller: Caller, model: str, code: str) -> None:
    found = caller.ended(caller.create(model))
    assert (found["status"], found["error"]["code"], found["content"]) == ("failed", code, None)
    assert found["error"]["message"]
    assert found["completed_at"] >= found["created_at"]
    assert found["expires_at"] is None
