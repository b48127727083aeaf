"""GET /v1/video/generations: pages, filters, cursors over HTTP (wire.md section 6)."""

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest

from ..serving import GENERATIONS, Caller, ServerProcess, error, keys

CREATED = 6


@pytest.fixture(scope="module")
def tasks(caller: Caller) -> list[dict[str, Any]]:
    """Six ended tasks, oldest first: three cancelled, two failed, one refused by moderation."""
    models = [
        "sandbox/stuck",
        "sandbox/fails",
        "sandbox/stuck",
        "sandbox/moderated",
        "sandbox/fails",
        "sandbox/stuck",
    ]
    made = [
        caller.create(model, metadata={"number": str(number), "odd": str(number % 2)})
        for number, model in enumerate(models)
    ]
    return [caller.stop(task) if task["model"] == "sandbox/stuck" else caller.ended(task) for task in made]


def found(caller: Caller, tasks: list[dict[str, Any]], *pairs: tuple[str, str]) -> list[int]:
    """Which of ``tasks``, by number, a list with these parameters has."""
    answer = caller.get(GENERATIONS, params=[*pairs, ("limit", "200")])
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["object"], body["has_more"], body["limit"]) == ("list", False, 200)
    assert body["total"] == len(body["data"]) + body["offset"]
    ids = [task["id"] for task in tasks]
    return [ids.index(task["id"]) for task in body["data"]]


def test_the_newest_come_first_and_each_is_the_task_that_get_shows(
    caller: Caller, tasks: list[dict[str, Any]]
) -> None:
    body = caller.get(GENERATIONS).json()
    assert body == {
        "object": "list",
        "data": tasks[::-1],
        "has_more": False,
        "total": CREATED,
        "limit": 50,
        "offset": 0,
    }


def test_pages_by_offset_have_no_gap_and_no_overlap(caller: Caller, tasks: list[dict[str, Any]]) -> None:
    seen = []
    for offset in range(0, 8, 2):
        body = caller.get(GENERATIONS, params={"limit": 2, "offset": offset}).json()
        assert (body["limit"], body["offset"], body["total"]) == (2, offset, CREATED)
        assert body["has_more"] == (offset < 4)
        seen += [task["id"] for task in body["data"]]
    assert seen == [task["id"] for task in tasks[::-1]]


def walk(caller: Caller, **filters: Any) -> Iterator[str]:
    """Every id that paging by cursor meets."""
    after: dict[str, str] = {}
    while True:
        body = caller.get(GENERATIONS, params={**filters, **after, "limit": 1}).json()
        yield from (task["id"] for task in body["data"])
        if not body["has_more"]:
            return
        after = {"after": body["data"][-1]["id"]}


def test_pages_by_cursor_meet_every_task_once(caller: Caller, tasks: list[dict[str, Any]]) -> None:
    assert list(walk(caller)) == [task["id"] for task in tasks[::-1]]


def test_a_cursor_goes_together_with_every_filter(caller: Caller, tasks: list[dict[str, Any]]) -> None:
    wanted = [tasks[number]["id"] for number in (4, 1)]
    assert list(walk(caller, model="sandbox/fails", status="failed")) == wanted
    # The cursor is a place in the list: the task there need not pass the filter.
    body = caller.get(GENERATIONS, params={"model": "sandbox/stuck", "after": tasks[3]["id"]}).json()
    assert [task["id"] for task in body["data"]] == [tasks[2]["id"], tasks[0]["id"]]
    assert (body["total"], body["has_more"]) == (3, False)


@pytest.mark.parametrize(
    ("pairs", "numbers"),
    [
        ([("status", "failed")], [5, 4, 3, 2, 1, 0]),
        ([("status", "succeeded")], []),
        ([("status", "pending"), ("status", "running"), ("status", "queued")], []),
        ([("status", "cancelled")], [5, 2, 0]),
        ([("status", "expired")], []),
        ([("status", "cancelled"), ("status", "succeeded")], [5, 2, 0]),
        ([("model", "sandbox/fails")], [4, 1]),
        ([("model", "sandbox/fails"), ("model", "sandbox/moderated")], [4, 3, 1]),
        ([("model", "sandbox/stuck"), ("status", "cancelled")], [5, 2, 0]),
        ([("model", "no/such")], []),
        ([("metadata[number]", "3")], [3]),
        ([("metadata[odd]", "1"), ("metadata[number]", "3")], [3]),
        ([("metadata[odd]", "1"), ("metadata[number]", "2")], []),
        ([("metadata[none]", "x")], []),
        ([("unknown", "x")], [5, 4, 3, 2, 1, 0]),
        ([("created_after", "2000-01-01")], [5, 4, 3, 2, 1, 0]),
        ([("created_before", "2000-01-01T00:00:00Z")], []),
    ],
    ids=str,
)
def test_filters_select_what_they_say(
    caller: Caller, tasks: list[dict[str, Any]], pairs: list[tuple[str, str]], numbers: list[int]
) -> None:
    assert found(caller, tasks, *pairs) == numbers


@pytest.mark.parametrize(
    "form", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S+00:00", "%Y-%m-%d %H:%M:%S", "%Y%m%dT%H%M%SZ"]
)
def test_a_time_is_included_below_and_excluded_above_in_every_spelling(
    caller: Caller, tasks: list[dict[str, Any]], form: str
) -> None:
    created = tasks[0]["created_at"]
    moment = datetime.datetime.fromtimestamp(created, datetime.UTC).strftime(form)
    later = datetime.datetime.fromtimestamp(tasks[-1]["created_at"] + 1, datetime.UTC).strftime(form)
    assert len(found(caller, tasks, ("created_after", moment), ("created_before", later))) == CREATED
    assert found(caller, tasks, ("created_before", moment)) == []
    assert found(caller, tasks, ("created_after", later)) == []


def test_a_plus_that_was_not_escaped_is_understood_in_a_time(
    caller: Caller, tasks: list[dict[str, Any]]
) -> None:
    answer = caller.raw("GET", f"{GENERATIONS}?created_after=2000-01-01T02:00:00+02:00")
    assert answer.json()["total"] == len(tasks)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("limit", value) for value in ("0", "201", "-1", "1.5", "ten", "", "9" * 30)),
        *(("offset", value) for value in ("-1", "1e3", "x", "9" * 30)),
        *(("status", value) for value in ("done", "", "PENDING", "s" * 500)),
        *(("created_after", value) for value in ("yesterday", "", "2026-13-01", "1785585600", "x" * 500)),
        ("created_before", "2026-08-01T25:00:00Z"),
        *(("after", value) for value in ("", "x", "task_1", "task_" + "U" * 26, "x" * 500)),
    ],
)
def test_a_parameter_that_cannot_be_is_422_and_names_itself(caller: Caller, name: str, value: str) -> None:
    answer = caller.get(GENERATIONS, params={name: value})
    found = error(answer, 422, "validation_error")
    assert found["details"][0]["loc"] == ["query", name]
    assert len(answer.content) < 1_000


def test_every_parameter_at_fault_is_named_at_once(caller: Caller) -> None:
    answer = caller.get(GENERATIONS, params={"limit": 0, "offset": -1, "status": "x"})
    found = error(answer, 422, "validation_error")
    assert {detail["loc"][1] for detail in found["details"]} == {"limit", "offset", "status"}


def test_the_largest_page_and_the_farthest_offset_are_answered(
    caller: Caller, tasks: list[dict[str, Any]]
) -> None:
    body = caller.get(GENERATIONS, params={"limit": 200, "offset": 10**15}).json()
    assert (body["data"], body["has_more"], body["total"]) == ([], False, len(tasks))


def test_a_simulated_task_is_found_by_the_model_that_was_asked_for(server: ServerProcess) -> None:
    made = keys(server.data, "create", "--name", "sim", "--json")
    own = server.caller(json.loads(made.stdout)["key"])
    task = own.create("byteplus/dreamina-seedance-2-0")
    own.stop(task)
    for model in ("byteplus/dreamina-seedance-2-0", "mesh/diorama-1"):
        assert [each["id"] for each in own.get(GENERATIONS, params={"model": model}).json()["data"]] == [
            task["id"]
        ]
