"""The contract's data, run against the server: the same files that every SDK runs."""

import json
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from meshapi_server.api import create_request
from meshapi_server.api.errors import STATUS, APIError, ErrorCode, from_refusal
from meshapi_server.api.wire import CreateBody
from meshapi_server.tasks.drafts import draft_item
from meshapi_server.tasks.errors import Detail, RequestInvalid
from meshapi_server.tasks.spec import ContentItem
from meshapi_server.tasks.states import TERMINAL_STATUSES, Status
from meshapi_server.tasks.task import ErrorCode as TaskErrorCode
from meshapi_server.upstreams.catalogue import Catalogue
from meshapi_server.upstreams.fit import OutsideCard, fit

CONTRACT = Path(__file__).parents[3] / "contract"
CARD = Catalogue.load().get("sandbox/instant")  # takes every role, makes no exceptions


def load(name: str) -> Any:
    return json.loads((CONTRACT / name).read_text("utf-8"))


def cases(suite: str) -> list[Any]:
    return [
        pytest.param(case["given"], case["want"], id=case["description"])
        for case in load(f"vectors/{suite}.json")["cases"]
    ]


def on_the_wire(item: ContentItem) -> dict[str, Any]:
    """An item in the one spelling that the wire prefers."""
    if item.kind == "text":
        return {"type": "text", "text": item.text}
    if item.kind == "draft_task":
        return {"type": "draft_task", "draft_task": {"id": item.task_id}}
    key = f"{item.kind}_url"
    wire: dict[str, Any] = {"type": key, key: {"url": item.url}, "role": item.role}
    return wire if item.subject is None else {**wire, "subject": item.subject}


def accept(body: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """The items as the server understands them and the fields it does not know; raises what it answers."""
    assert CARD is not None
    wanted = create_request.read(json.dumps(body).encode())
    spec, unknown = wanted.spec, list(wanted.unknown)
    if draft_item(spec):  # a draft's own request takes its place before it is fitted (tasks/drafts.py)
        return [on_the_wire(item) for item in spec.content], unknown
    return [on_the_wire(item) for item in fit(spec, CARD).spec.content], unknown


def refusal(body: Any) -> APIError:
    try:
        accept(body)
    except APIError as error:
        return error
    except RequestInvalid as invalid:
        return from_refusal(invalid)
    except OutsideCard as outside:
        return from_refusal(RequestInvalid(outside.details))
    pytest.fail("the server accepts what the contract refuses")


@pytest.mark.parametrize(("given", "want"), cases("content-items"))
def test_content_is_understood_as_the_contract_says(given: Any, want: Any) -> None:
    body = {"model": "sandbox/instant", **given}
    if "items" in want:
        assert accept(body)[0] == want["items"]
        return
    error = refusal(body)
    assert (error.status, error.code) == (want["error"]["status"], want["error"]["code"])
    loc = tuple(want["error"]["loc"])
    at_fault: list[Detail] = [detail for detail in error.details if detail.loc[: len(loc)] == loc]
    assert at_fault, error.details
    said = error.message + "".join(detail.msg for detail in error.details)
    assert all(word in said for word in want["error"]["mentions"]), said


@pytest.mark.parametrize(("given", "want"), cases("request-encoding"))
def test_what_an_sdk_encodes_is_a_request_that_the_server_reads(given: Any, want: Any) -> None:
    # What a body means, such as two images without roles, is the content-items suite's matter.
    read = msgspec.json.decode(json.dumps(want["body"]), type=CreateBody)
    assert msgspec.to_builtins(read)["model"] == want["body"]["model"]
    assert len(read.content) == len(want["body"]["content"])
    for name in set(CreateBody.__struct_fields__) & set(want["body"]) - {"content"}:
        assert getattr(read, name) == want["body"][name]


def test_the_error_table_is_the_contracts() -> None:
    published = load("errors.json")
    assert {row["code"]: row["status"] for row in published["http"]} == STATUS
    assert set(get_args(ErrorCode)) == set(STATUS)
    assert {row["code"] for row in published["task"]} == set(get_args(TaskErrorCode))


def test_the_statuses_are_the_contracts() -> None:
    published = {row["name"]: row["terminal"] for row in load("states.json")["statuses"]}
    assert published == {str(status): status in TERMINAL_STATUSES for status in Status}


@pytest.mark.parametrize("code", sorted(STATUS))
def test_every_envelope_has_the_contracts_form(code: Any) -> None:
    error = APIError(code, "words", details=(Detail("value_error", ("body", "seed"), "too large"),))
    body = json.loads(error.body("req_1"))
    assert body == {
        "error": {
            "code": code,
            "message": "words",
            "details": [{"type": "value_error", "loc": ["body", "seed"], "msg": "too large"}],
        },
        "request_id": "req_1",
    }
