"""GET …/events: Server-Sent Events, one per change, the last one terminal (wire.md section 5)."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from ..serving import GENERATIONS, Caller, error


def path(task: dict[str, Any]) -> str:
    return f"{GENERATIONS}/{task['id']}/events"


def read(caller: Caller, task: dict[str, Any], **headers: str) -> Iterator[dict[str, str]]:
    """The blocks of the stream, each as its fields; a comment is the field ``""``."""
    with caller.http.stream("GET", path(task), headers=headers, timeout=30) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        block: dict[str, str] = {}
        for line in answer.iter_lines():
            if line:
                name, _, value = line.partition(":")
                block[name] = value.removeprefix(" ")
            elif block:
                yield block
                block = {}


def events(caller: Caller, task: dict[str, Any], **headers: str) -> list[tuple[int, dict[str, Any]]]:
    """Every event until the stream ends, as version and task."""
    found = []
    for block in read(caller, task, **headers):
        if block.get("event") == "task":
            assert set(block) == {"id", "event", "data"}
            found.append((int(block["id"]), json.loads(block["data"])))
    return found


def test_the_stream_tells_every_change_once_in_order_and_ends_with_the_end(caller: Caller) -> None:
    task = caller.create("sandbox/fails")
    found = events(caller, task)
    versions = [version for version, _ in found]
    assert versions == sorted(set(versions))
    assert [body["id"] for _, body in found] == [task["id"]] * len(found)
    statuses = [body["status"] for _, body in found]
    assert (statuses[0], statuses[-1]) in {("pending", "failed"), ("running", "failed")}
    assert "running" in statuses
    assert [body["status"] in {"succeeded", "failed"} for _, body in found].count(True) == 1
    assert found[-1][1] == caller.task(task["id"])


def test_several_watchers_see_the_same_changes(caller: Caller) -> None:
    task = caller.create("sandbox/fails")
    found: list[list[tuple[int, dict[str, Any]]]] = []

    def watch() -> None:
        found.append(events(Caller(caller.base_url, caller.api_key), task))

    threads = [threading.Thread(target=watch) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    last = {version for seen in found for version, _ in seen[-1:]}
    assert (len(found), len(last)) == (5, 1)
    for seen in found:
        # Each began at another moment; from there on none misses a change.
        assert [version for version, _ in seen] == list(range(seen[0][0], seen[-1][0] + 1))


def test_the_stream_of_an_ended_task_is_its_end_alone(caller: Caller) -> None:
    task = caller.create()
    ended = caller.stop(task)
    assert [body for _, body in events(caller, task)] == [ended]


def test_a_stream_is_resumed_behind_the_last_event_that_was_seen(caller: Caller) -> None:
    task = caller.create("sandbox/fails")
    everything = events(caller, task)
    last = everything[-1][0]
    assert events(caller, task, **{"last-event-id": str(last - 1)}) == everything[-1:]
    # The end is told again even to those who saw it: a client that asks has not understood that it was over.
    assert events(caller, task, **{"last-event-id": str(last)}) == everything[-1:]


def test_what_was_seen_before_is_not_sent_again_while_the_task_runs(caller: Caller) -> None:
    task = caller.until(caller.create(), lambda found: found["status"] == "running")
    blocks = read(caller, task)
    assert "" in next(blocks)
    seen = int(next(blocks)["id"])
    blocks.close()  # type: ignore[attr-defined]  # a generator
    threading.Timer(0.5, lambda: Caller(caller.base_url, caller.api_key).cancel(task)).start()
    later = events(caller, task, **{"last-event-id": str(seen)})
    assert [(version > seen, body["status"]) for version, body in later] == [(True, "failed")]


@pytest.mark.parametrize("last", ["", "abc", "-1", "1.5", "9" * 400, "²"])
def test_a_last_event_id_that_is_no_number_is_ignored(caller: Caller, last: str) -> None:
    task = caller.create()
    caller.stop(task)
    with caller.http.stream("GET", path(task), headers={b"last-event-id": last.encode()}) as answer:
        assert b"event: task" in answer.read()


def test_the_stream_of_an_unknown_task_is_the_404_envelope(caller: Caller) -> None:
    error(caller.get(f"{GENERATIONS}/task_none/events"), 404, "not_found")


def test_the_later_version_has_the_request_id_in_its_events(caller: Caller) -> None:
    task = caller.post(
        {"model": "sandbox/stuck", "content": [{"type": "text", "text": "x"}]},
        headers={"x-request-id": "sse-1"},
    ).json()
    caller.stop(task)
    (found,) = events(caller, task, **{"x-mesh-version": "2026-09"})
    assert found[1]["request_id"] == "sse-1"


def test_head_tells_the_kind_of_the_stream_and_does_not_wait_for_its_end(caller: Caller) -> None:
    task = caller.create()
    begun = time.monotonic()
    answer = caller.request("HEAD", path(task), timeout=10)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")
    # The connection is free again: the next request on it is answered.
    assert caller.stop(task)["status"] == "failed"
    assert time.monotonic() - begun < 5


def test_a_watcher_that_leaves_is_forgotten_and_the_server_goes_on(caller: Caller) -> None:
    task = caller.until(caller.create(), lambda found: found["status"] == "running")
    for _ in range(20):
        client = httpx2.Client(base_url=caller.base_url, headers=caller.http.headers, trust_env=False)
        with client.stream("GET", path(task)) as answer:
            next(answer.iter_lines())
        client.close()
    assert caller.stop(task)["status"] == "failed"
