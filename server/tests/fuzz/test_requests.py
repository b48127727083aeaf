"""Whatever is in a body, a header, a query or a path, the server answers, with no fault of its own."""

import json
from typing import Any
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as some

from .conftest import FUZZED, Spoken, sound

GENERATIONS = "/v1/video/generations"
WRITING = [
    ("POST", GENERATIONS),
    ("POST", "/v1/video/quote"),
    ("POST", "/v1/webhooks/endpoints"),
    ("PATCH", "/v1/webhooks/endpoints/whe_1"),
]
LISTS = [GENERATIONS, "/v1/events", "/v1/webhooks/deliveries", "/v1/models", "/v1/usage"]
LOOKING = [*LISTS, f"{GENERATIONS}/task_1", "/v1/webhooks/secret", "/openapi.json", "/healthz"]
PARAMETERS = [
    "status", "model", "limit", "offset", "after", "created_after", "created_before", "wait", "type",
    "metadata[order]", "provider", "event_id", "task_id", "endpoint_id", "variant", "expires", "from", "to",
]  # fmt: skip
HEADERS = [
    b"idempotency-key", b"content-type", b"content-length", b"x-request-id", b"x-mesh-version", b"prefer",
    b"if-none-match", b"if-range", b"range", b"last-event-id", b"accept", b"authorization", b"origin",
    b"expect", b"access-control-request-method", b"cookie", b"x-forwarded-for", b"host",
]  # fmt: skip
# What is allowed in a value on the wire (RFC 9110 section 5.5), as the parser lets it through.
VALUES = some.binary(max_size=80).map(lambda raw: bytes(byte for byte in raw if byte >= 32 and byte != 127))

scalars = (
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(max_size=40)
)
anything = some.recursive(
    scalars,
    lambda inner: (
        some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
urls = some.sampled_from(
    [
        "https://a.example/p.png", "http://127.0.0.1/", "data:image/png;base64,AAAA", "data:,", "http://[::1",
        "https://\u2460.example", "javascript:1", "http://a:99999/", "http:///x", "https://a@b/", "//a", "",
    ]
)  # fmt: skip
items = some.one_of(
    anything,
    some.fixed_dictionaries(
        {
            "type": some.sampled_from(
                ["text", "image_url", "video_url", "audio_url", "draft_task", "first_frame"]
            )
        },
        optional={
            "text": some.text(max_size=30) | anything,
            "image_url": urls | some.fixed_dictionaries({"url": urls}) | anything,
            "video_url": some.fixed_dictionaries({"url": urls}),
            "audio_url": some.fixed_dictionaries({"url": urls}),
            "draft_task": some.fixed_dictionaries({"id": some.text(max_size=30)}) | anything,
            "role": some.sampled_from(["first_frame", "last_frame", "reference_image", "x"]) | anything,
            "subject": some.text(max_size=70),
        },
    ),
)
models = some.sampled_from(
    ["sandbox/instant", "mesh/diorama-1", "byteplus/dreamina-seedance-2-0", "google/veo-3.1"]
)
creates = some.fixed_dictionaries(
    {"model": models | some.text(max_size=30), "content": some.lists(items, max_size=4) | anything},
    optional={
        name: anything | some.sampled_from([0, 1, -1, 5, "720p", "16:9", "0.5", True, 2**64, 1e308])
        for name in (
            "duration", "frames", "resolution", "ratio", "seed", "generate_audio", "camera_fixed",
            "watermark", "draft", "return_last_frame", "callback_url", "service_tier",
            "execution_expires_after", "priority", "safety_identifier", "negative_prompt", "guidance_scale",
            "num_inference_steps", "max_cost_usd", "dry_run", "output_format",
        )
    } | {
        "metadata": anything | some.dictionaries(some.text(max_size=70), some.text(max_size=20), max_size=20)
    },
)  # fmt: skip


@FUZZED
@given(some.sampled_from(WRITING), some.binary(max_size=300))
def test_no_bytes_in_a_body_are_a_fault_of_the_server(
    spoken: Spoken, where: tuple[str, str], body: bytes
) -> None:
    sound(spoken.ask(*where, body=body))


@FUZZED
@given(some.sampled_from(WRITING), anything)
def test_no_json_is_a_fault_of_the_server(spoken: Spoken, where: tuple[str, str], value: Any) -> None:
    sound(spoken.ask(*where, body=json.dumps(value).encode()))


@FUZZED
@given(some.sampled_from(WRITING[:2]), creates)
def test_no_create_is_a_fault_of_the_server(spoken: Spoken, where: tuple[str, str], wanted: Any) -> None:
    sound(spoken.ask(*where, body=json.dumps(wanted).encode()))


@FUZZED
@given(creates, some.data())
def test_no_create_that_was_damaged_on_its_way_is_a_fault_of_the_server(
    spoken: Spoken, wanted: Any, data: some.DataObject
) -> None:
    body = bytearray(json.dumps(wanted, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    for _ in range(data.draw(some.integers(1, 4))):
        place = data.draw(some.integers(0, len(body)))
        body[place : place + data.draw(some.integers(0, 3))] = data.draw(some.binary(max_size=3))
    sound(spoken.ask("POST", GENERATIONS, body=bytes(body)))


@FUZZED
@given(
    some.sampled_from(WRITING[2:]),
    some.fixed_dictionaries(
        {},
        optional={
            "url": urls | anything,
            "description": anything,
            "enabled": anything,
            "events": some.lists(some.sampled_from(["video.generation.failed", "x"])) | anything,
        },
    ),
)
def test_no_webhook_endpoint_is_a_fault_of_the_server(
    spoken: Spoken, where: tuple[str, str], body: Any
) -> None:
    sound(spoken.ask(*where, body=json.dumps(body).encode()))


@FUZZED
@given(
    some.sampled_from([*(("GET", path) for path in LOOKING), ("HEAD", GENERATIONS), *WRITING]),
    some.lists(some.tuples(some.sampled_from(HEADERS) | VALUES.filter(bool), VALUES), max_size=6),
)
def test_no_headers_are_a_fault_of_the_server(
    spoken: Spoken, where: tuple[str, str], headers: list[tuple[bytes, bytes]]
) -> None:
    body = b'{"model": "sandbox/instant", "content": []}' if where[0] in {"POST", "PATCH"} else b""
    answer = spoken.ask(*where, headers=[(name.lower(), value) for name, value in headers], body=body)
    if where[0] != "HEAD":
        sound(answer)


@FUZZED
@given(
    some.sampled_from(LOOKING),
    some.lists(
        some.tuples(
            some.sampled_from(PARAMETERS) | some.text(max_size=10),
            some.text(max_size=30)
            | some.integers().map(str)
            | some.sampled_from(["queued", "2026-01-01T00Z"]),
        ),
        max_size=5,
    ),
)
def test_no_query_is_a_fault_of_the_server(spoken: Spoken, path: str, pairs: list[tuple[str, str]]) -> None:
    pairs = [(name, "0" if name == "wait" else value) for name, value in pairs]  # nobody waits here
    query = "&".join(f"{quote(name)}={quote(value, errors='replace')}" for name, value in pairs)
    sound(spoken.ask("GET", path, query=query.encode()))


@FUZZED
@given(some.sampled_from(LOOKING), VALUES)
def test_no_bytes_in_a_query_are_a_fault_of_the_server(spoken: Spoken, path: str, query: bytes) -> None:
    if b"wait" not in query:
        sound(spoken.ask("GET", path, query=query))


@FUZZED
@given(
    some.sampled_from(["GET", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "X"]),
    some.lists(
        some.sampled_from(
            ["v1", "video", "generations", "files", "models", "webhooks", "upstreams", "callbacks", "content",
             "events", "admin", "keys", "..", "%2e", "fal", "task_1", "usage"]
        ) | some.text(max_size=12),
        max_size=6,
    ),
)  # fmt: skip
def test_no_path_is_a_fault_of_the_server(spoken: Spoken, method: str, parts: list[str]) -> None:
    sound(spoken.ask(method, "/" + "/".join(parts).encode("utf-8", "replace").decode()))
