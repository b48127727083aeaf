"""A task's timeline over HTTP."""

from ..serving import GENERATIONS, Caller, error


def timeline(caller: Caller, task_id: str) -> list[dict[str, object]]:
    answer = caller.get(f"{GENERATIONS}/{task_id}/timeline")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["object"], body["id"]) == ("timeline", task_id)
    entries: list[dict[str, object]] = body["data"]
    return entries


def test_a_task_that_succeeded_shows_each_step_of_its_way_in_order(caller: Caller) -> None:
    task = caller.ended(caller.create("sandbox/instant"))
    entries = timeline(caller, task["id"])
    assert [entry["kind"] for entry in entries] == ["created", "submit", "poll", "fetch", "ended"]
    assert [entry["result"] for entry in entries] == ["queued", "accepted", "ready", "stored", "succeeded"]
    assert entries[2]["polls"] == 1
    times = [entry["started_at"] for entry in entries]
    assert times == sorted(times, key=float)  # type: ignore[arg-type]


def test_refused_submissions_are_told_with_the_upstreams_reason(caller: Caller) -> None:
    task = caller.ended(caller.create("sandbox/flaky"), seconds=60)
    submits = [entry for entry in timeline(caller, task["id"]) if entry["kind"] == "submit"]
    assert [entry["result"] for entry in submits] == ["deferred", "deferred", "accepted"]
    assert submits[0]["message"] == "the sandbox is busy"


def test_a_task_under_way_shows_how_often_it_was_looked_at_so_far(caller: Caller) -> None:
    task = caller.create("sandbox/stuck")
    caller.until(task, lambda found: found["status"] == "running")
    last = timeline(caller, task["id"])[-1]
    caller.stop(task)
    assert (last["kind"], last["ended_at"]) == ("poll", None)
    assert last["polls"] == 1


def test_a_cancelled_task_shows_that_its_upstream_was_told_to_stop(caller: Caller) -> None:
    task = caller.create("sandbox/stuck")
    caller.until(task, lambda found: found["status"] == "running")
    caller.stop(task)
    caller.until(task, lambda found: timeline(caller, found["id"])[-1]["kind"] == "cancel")
    caller.until(task, lambda found: timeline(caller, found["id"])[-1]["result"] == "let_go")
    entries = timeline(caller, task["id"])
    assert [entry["kind"] for entry in entries] == ["created", "submit", "poll", "ended", "cancel"]
    assert entries[-2]["result"] == "cancelled"
    assert entries[-1]["message"] == "the upstream stopped"


def test_a_strangers_timeline_is_not_found(caller: Caller, stranger: Caller) -> None:
    task = caller.create("sandbox/fails")
    error(stranger.get(f"{GENERATIONS}/{task['id']}/timeline"), 404, "not_found")
