"""Idempotency-Key: one task for one key, whatever is repeated (wire.md section 1)."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from ..serving import GENERATIONS, TEXT, Caller, ServerProcess, error, keys

BODY = {"model": "sandbox/stuck", "content": [{"type": "text", "text": "a lake"}], "seed": 7}
fresh = (f"key-{number}" for number in itertools.count())


def total(caller: Caller) -> int:
    return int(caller.get(GENERATIONS).json()["total"])


def test_the_same_key_and_body_get_the_first_answer_byte_by_byte(caller: Caller) -> None:
    headers = {"idempotency-key": next(fresh)}
    first = caller.post(BODY, headers=headers)
    before = total(caller)
    again = caller.post(BODY, headers=headers)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.status_code, again.content) == (200, first.content)
    assert total(caller) == before
    assert again.headers["x-request-id"] != first.headers["x-request-id"]


def test_the_answer_is_repeated_after_the_task_went_on_and_was_deleted(caller: Caller) -> None:
    headers = {"idempotency-key": next(fresh)}
    task = caller.post(BODY, headers=headers).json()
    caller.stop(task)
    assert caller.post(BODY, headers=headers).json() == task
    caller.request("DELETE", f"{GENERATIONS}/{task['id']}")
    assert caller.post(BODY, headers=headers).json() == task


def test_a_repeated_simulated_create_names_the_serving_model_in_its_headers_too(caller: Caller) -> None:
    headers = {"idempotency-key": next(fresh)}
    body = {"model": "byteplus/dreamina-seedance-2-0", "content": TEXT}
    first, again = caller.post(body, headers=headers), caller.post(body, headers=headers)
    assert again.headers["idempotent-replayed"] == "true"
    for name in ("x-mesh-routing-model", "x-mesh-routing-fallback"):
        assert again.headers[name] == first.headers[name]
    caller.cancel(first.json())


@pytest.mark.parametrize(
    "text",
    [
        '{"seed":7,"content":[{"text":"a lake","type":"text"}],"model":"sandbox/stuck"}',
        '{ "model": "sandbox/stuck",\n "content": [ {"type": "text", "text": "a lake"} ], "seed": 7 }',
        '{"model":"sandbox/stuck","content":[{"type":"text","text":"a\\u0020lake"}],"seed":7,"duration":null}',
    ],
    ids=["order", "spaces", "escapes and nulls"],
)
def test_another_spelling_of_the_same_body_is_the_same(caller: Caller, text: str) -> None:
    headers = {"idempotency-key": next(fresh), "content-type": "application/json"}
    first = caller.post(BODY, headers=headers).json()
    again = caller.request("POST", GENERATIONS, content=text.encode(), headers=headers)
    assert again.json() == first


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 8},
        {"model": "sandbox/slow"},
        {"content": [{"type": "text", "text": "other"}]},
        {"unknown": 1},
    ],
    ids=str,
)
def test_another_body_under_the_same_key_is_refused_and_makes_no_task(
    caller: Caller, change: dict[str, object]
) -> None:
    headers = {"idempotency-key": next(fresh)}
    caller.post(BODY, headers=headers)
    before = total(caller)
    found = error(caller.post({**BODY, **change}, headers=headers), 422, "idempotency_mismatch")
    assert headers["idempotency-key"] in found["message"]
    assert total(caller) == before


def test_an_unknown_field_with_another_value_is_another_body(caller: Caller) -> None:
    headers = {"idempotency-key": next(fresh)}
    caller.post({**BODY, "unknown": 1}, headers=headers)
    error(caller.post({**BODY, "unknown": 2}, headers=headers), 422, "idempotency_mismatch")


def test_a_refused_request_does_not_use_the_key_up(caller: Caller) -> None:
    headers = {"idempotency-key": next(fresh)}
    error(caller.post({**BODY, "duration": 61}, headers=headers), 422, "validation_error")
    assert caller.post(BODY, headers=headers).status_code == 200


def test_many_at_once_under_one_key_give_one_task(caller: Caller) -> None:
    headers = {"idempotency-key": next(fresh)}
    before = total(caller)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: caller.post(BODY, headers=headers), range(24)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert [answer.headers.get("idempotent-replayed") for answer in answers].count(None) == 1
    assert total(caller) == before + 1


def test_a_key_is_the_owners_and_not_the_worlds(
    caller: Caller, stranger: Caller, server: ServerProcess
) -> None:
    headers = {"idempotency-key": next(fresh)}
    first = caller.post(BODY, headers=headers).json()
    theirs = stranger.post({**BODY, "seed": 8}, headers=headers).json()
    assert theirs["id"] != first["id"]


def test_two_keys_of_one_owner_share_their_idempotency_keys(server: ServerProcess) -> None:
    callers = []
    for name in ("blue", "green"):
        made = keys(server.data, "create", "--name", name, "--owner", "own_shared", "--json")
        assert made.returncode == 0, made.stderr
        callers.append(server.caller(json.loads(made.stdout)["key"]))
    headers = {"idempotency-key": next(fresh)}
    assert callers[0].post(BODY, headers=headers).json() == callers[1].post(BODY, headers=headers).json()


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "ключ".encode(), "tab\there"])
def test_a_key_that_is_not_1_to_255_visible_characters_is_400(caller: Caller, key: str | bytes) -> None:
    answer = caller.raw(
        "POST",
        GENERATIONS,
        {"idempotency-key": key, "content-type": "application/json"},
        b'{"model":"sandbox/stuck","content":[{"type":"text","text":"x"}]}',
    )
    assert "Idempotency-Key" in error(answer, 400, "invalid_request")["message"]


def test_a_key_of_255_characters_of_any_visible_kind_is_fine(caller: Caller) -> None:
    visible = "".join(chr(code) for code in range(0x21, 0x7F))
    key = (visible * 3)[:255]
    assert caller.post(BODY, headers={"idempotency-key": key}).status_code == 200
