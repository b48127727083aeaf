"""Bodies that are no request: malformed, hostile, too large, of another type (wire.md sections 1 and 8)."""

import json
import socket
import time
from typing import Any

import pytest

from ..serving import GENERATIONS, Caller, ServerProcess, error

VALID = '{"model":"sandbox/stuck","content":[{"type":"text","text":"x"}]%s}'
JSON = {"content-type": "application/json"}
MIB = 1 << 20


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(body, id=name)
        for name, body in {
            "nothing": b"",
            "cut": b"{",
            "word": b"nope",
            "single quotes": b"{'model': 'x'}",
            "trailing comma": b'{"model":"sandbox/stuck",}',
            "utf-16": (VALID % "").encode("utf-16"),
            "byte order mark": b"\xef\xbb\xbf" + (VALID % "").encode(),
            "NaN": (VALID % ',"seed":NaN').encode(),
            "Infinity": (VALID % ',"guidance_scale":Infinity').encode(),
            "leading zeros": (VALID % ',"seed":007').encode(),
            "raw line break": (VALID % ',"x":"\n"').encode(),
            "two documents": (VALID % "").encode() + b"{}",
            "deep unknown field": (VALID % (',"x":' + "[" * 50_000 + "]" * 50_000)).encode(),
            "lone surrogate": b'{"model":"sandbox/stuck","content":[{"type":"text","text":"\\udc00"}]}',
            "lone surrogate as name": (VALID % ',"\\ud800":1').encode(),
            "no UTF-8": b'{"model":"sandbox/stuck","content":[{"type":"text","text":"\xff"}]}',
        }.items()
    ],
)
def test_what_is_no_json_is_400(caller: Caller, body: bytes) -> None:
    for headers in (JSON, {**JSON, "idempotency-key": "k"}):
        error(caller.request("POST", GENERATIONS, content=body, headers=headers), 400, "invalid_request")


@pytest.mark.parametrize("body", [b"null", b"[]", b"7", b'"text"', b"true", b"{}"])
def test_json_that_is_no_request_is_422(caller: Caller, body: bytes) -> None:
    error(caller.request("POST", GENERATIONS, content=body, headers=JSON), 422, "validation_error")


@pytest.mark.parametrize(
    "value",
    [
        b"1e999",
        b"-1e999",
        b'"\xff"',
        b'"\\ud800"',
        b"1" * 5000,
        b'{"\xff":1}',
        b"[" * 500 + b"]" * 500,
        b'{"a":1,"a":2}',
    ],
    ids=lambda value: repr(value[:12]),
)
def test_an_unknown_field_never_breaks_the_server_and_a_key_makes_no_difference(
    caller: Caller, value: bytes
) -> None:
    body = (VALID % ',"x":%s').encode() % value
    answers = [
        caller.request("POST", GENERATIONS, content=body, headers=headers).status_code
        for headers in (JSON, {**JSON, "idempotency-key": f"unknown-{hash(value)}"})
    ]
    assert answers[0] == answers[1]
    assert answers[0] in {200, 400}


def test_the_last_of_two_equal_names_counts(caller: Caller) -> None:
    body = (VALID % ',"seed":1,"seed":2').encode()
    assert caller.request("POST", GENERATIONS, content=body, headers=JSON).json()["seed"] == 2


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"model":' * 20_000, b'{"content":' + b"[" * 100_000])
def test_no_depth_breaks_the_server(caller: Caller, body: bytes) -> None:
    answer = caller.request("POST", GENERATIONS, content=body, headers=JSON)
    assert answer.status_code in {400, 422}, answer.text
    assert len(answer.content) < 2_000


def test_a_million_items_are_refused_and_the_server_goes_on(caller: Caller) -> None:
    item = '{"type":"text","text":"x"}'
    body = '{"model":"sandbox/stuck","content":[' + ",".join([item] * 1_000_000) + "]}"
    answer = caller.request("POST", GENERATIONS, content=body.encode(), headers=JSON)
    found = error(answer, 422, "validation_error")
    assert found["details"][0]["loc"][0] == "body"
    assert len(answer.content) < 2_000
    assert caller.get("/readyz").status_code == 200


def test_a_million_unknown_fields_are_not_repeated_without_bound(caller: Caller) -> None:
    fields = "".join(f',"u{number}":1' for number in range(200_000))
    answer = caller.request("POST", GENERATIONS, content=(VALID % fields).encode(), headers=JSON)
    assert answer.status_code in {200, 422}
    assert len(answer.content) < 20_000


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "jsonp", ""],
)
def test_another_media_type_is_415(caller: Caller, media_type: str) -> None:
    answer = caller.request(
        "POST", GENERATIONS, content=(VALID % "").encode(), headers={"content-type": media_type}
    )
    error(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/vnd.mesh+json",
        None,
    ],
)
def test_json_under_any_of_its_names_is_accepted(caller: Caller, media_type: str | None) -> None:
    headers: dict[str, str | bytes] = {} if media_type is None else {"content-type": media_type}
    answer = caller.raw("POST", GENERATIONS, headers, (VALID % "").encode())
    assert answer.status_code == 200, answer.text


def test_a_body_of_33_mib_gets_the_envelope(caller: Caller) -> None:
    body = b'{"model":"' + b"x" * (33 * MIB) + b'"}'
    found = error(caller.request("POST", GENERATIONS, content=body, headers=JSON), 413, "request_too_large")
    assert "32 MiB" in found["message"]
    assert caller.get("/readyz").status_code == 200


def test_a_body_of_33_mib_in_chunks_of_unknown_number_gets_the_envelope(caller: Caller) -> None:
    def chunks() -> Any:
        for _ in range(33):
            yield b"x" * MIB

    error(caller.request("POST", GENERATIONS, content=chunks(), headers=JSON), 413, "request_too_large")


def test_a_body_just_below_the_limit_is_read(caller: Caller) -> None:
    data = "data:image/png;base64," + "A" * (31 * MIB)
    content = [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": data}]
    task = caller.create(content=content)
    assert task["status"] == "pending"
    assert "AAAA" not in caller.get(f"{GENERATIONS}/{task['id']}").text


def test_a_client_that_asks_first_is_told_before_it_sends_a_body_that_is_too_large(
    server: ServerProcess,
) -> None:
    head = (
        f"POST {GENERATIONS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {server.api_key}\r\n"
        f"content-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {40 * MIB}\r\n\r\n"
    )
    host, port = server.base_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(head.encode())
        answer = connection.recv(4096).decode()
    assert answer.startswith("HTTP/1.1 413 "), answer


def test_a_client_that_leaves_in_the_middle_of_its_body_leaves_nothing_behind(
    server: ServerProcess, caller: Caller
) -> None:
    before = caller.get(GENERATIONS).json()["total"]
    host, port = server.base_url.removeprefix("http://").split(":")
    for _ in range(5):
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            head = f"POST {GENERATIONS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {server.api_key}\r\n"
            connection.sendall(f"{head}content-length: 1000\r\n\r\n{{".encode())
    time.sleep(0.1)
    assert caller.get(GENERATIONS).json()["total"] == before
    assert "request failed" not in server.stderr


def test_no_error_shows_the_servers_inside(caller: Caller, server: ServerProcess) -> None:
    for body in (b"{", json.dumps({"model": "no/such", "content": []}).encode(), b"[]"):
        text = caller.request("POST", GENERATIONS, content=body, headers=JSON).text
        assert "Traceback" not in text
        assert "meshapi_server" not in text
        assert str(server.data) not in text
    assert "Traceback" not in server.stderr
