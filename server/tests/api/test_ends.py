"""Cancelling and deleting over HTTP (wire.md section 5)."""

from ..serving import GENERATIONS, Caller, error


def test_a_running_task_is_cancelled_and_a_second_cancel_changes_nothing(caller: Caller) -> None:
    task = caller.until(caller.create(), lambda found: found["status"] == "running")
    answer = caller.cancel(task)
    ended = answer.json()
    assert (answer.status_code, ended["status"], ended["error"]["code"]) == (200, "failed", "cancelled")
    assert ended["completed_at"] is not None
    assert caller.cancel(task).json() == ended
    assert caller.task(task["id"]) == ended


def test_a_task_is_cancelled_however_soon_after_its_creation(caller: Caller) -> None:
    for _ in range(20):
        task = caller.create()
        assert caller.stop(task)["error"]["code"] == "cancelled"


def test_a_cancel_needs_no_body_and_ignores_one(caller: Caller) -> None:
    task = caller.create()
    answer = caller.request("POST", f"{GENERATIONS}/{task['id']}/cancel", content=b"{nope")
    assert answer.status_code == 200


def test_a_task_that_has_ended_otherwise_cannot_be_cancelled(caller: Caller) -> None:
    task = caller.ended(caller.create("sandbox/fails"))
    found = error(caller.cancel(task), 409, "conflict")
    assert "failed" in found["message"]
    assert caller.task(task["id"]) == task


def test_deleting_a_task_that_runs_cancels_it(caller: Caller) -> None:
    task = caller.until(caller.create(), lambda found: found["status"] == "running")
    answer = caller.request("DELETE", f"{GENERATIONS}/{task['id']}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (200, "cancelled")
    assert caller.task(task["id"])["status"] == "failed"


def test_deleting_an_ended_task_removes_it_from_everywhere(caller: Caller) -> None:
    task = caller.ended(caller.create("sandbox/fails"))
    before = caller.get(GENERATIONS).json()["total"]
    answer = caller.request("DELETE", f"{GENERATIONS}/{task['id']}")
    assert answer.json() == {"id": task["id"], "object": "video.generation.deleted", "deleted": True}
    assert caller.get(GENERATIONS).json()["total"] == before - 1
    for method, suffix in (
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/cancel"),
        ("GET", "/events"),
        ("GET", "/content"),
    ):
        error(caller.request(method, f"{GENERATIONS}/{task['id']}{suffix}"), 404, "not_found")


def test_an_unknown_task_can_be_neither_cancelled_nor_deleted(caller: Caller) -> None:
    error(caller.cancel({"id": "task_none"}), 404, "not_found")
    error(caller.request("DELETE", f"{GENERATIONS}/task_none"), 404, "not_found")


def test_a_cancelled_render_stops_and_leaves_no_file(caller: Caller) -> None:
    task = caller.create("mesh/diorama-1", resolution="480p", frames=1440, draft=True)
    caller.until(task, lambda found: found["status"] == "running" and bool(found["progress"]))
    assert caller.stop(task)["error"]["code"] == "cancelled"
    error(caller.get(f"{GENERATIONS}/{task['id']}/content"), 404, "not_found")
