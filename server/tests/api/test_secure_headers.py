"""What answers say to browsers, on every operation, and which pages of other origins may ask."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from meshapi_server.api import secure_headers

from ..serving import GENERATIONS, Caller, serving

APP = "https://app.example"
OTHER = "https://other.example"


@pytest.fixture(scope="module")
def open_caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """A caller of a server that pages of one other origin may call, behind https."""
    options = ("--public-url", "https://mesh.example")
    with serving(
        tmp_path_factory.mktemp("open") / "data", *options, MESHAPI_CORS_ORIGINS=f"{APP}, https://b.example"
    ) as started:
        yield started.caller()


def secured(answer: httpx2.Response) -> None:
    headers = answer.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["content-security-policy"].startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cross-origin-resource-policy"] in {"same-origin", "cross-origin"}
    assert headers["cache-control"]
    assert "server" not in headers
    repeated = [name for name in headers if len(headers.get_list(name)) > 1 and name != "vary"]
    assert repeated == []


def test_every_operation_answers_with_them_with_a_key_and_without(caller: Caller) -> None:
    document: dict[str, Any] = caller.get("/openapi.json").json()
    tried = 0
    for path, operations in document["paths"].items():
        place = path.replace("{", "").replace("}", "")
        for method in operations.keys() & {"get", "post", "patch", "delete"}:
            for headers in ({}, {"authorization": "Bearer rsk_nobodysnobodysnobodysnobody"}):
                secured(caller.request(method.upper(), place, headers=headers))
                tried += 1
    assert tried >= 40


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing/here", 404),
        ("PUT", GENERATIONS, 405),
        ("OPTIONS", GENERATIONS, 405),
        ("GET", "/healthz", 200),
        ("GET", "/openapi.json", 200),
    ],
)
def test_faults_and_open_pages_answer_with_them_too(
    caller: Caller, method: str, path: str, status: int
) -> None:
    answer = caller.request(method, path)
    assert answer.status_code == status
    secured(answer)


def test_what_a_key_may_see_is_kept_by_nobody_on_the_way(caller: Caller) -> None:
    task = caller.create()
    assert "private" in caller.get(f"{GENERATIONS}/{task['id']}").headers["cache-control"]
    for path in (GENERATIONS, "/v1/webhooks/secret", f"{GENERATIONS}/unknown"):
        assert caller.get(path).headers["cache-control"] == "no-store"


def test_a_video_may_be_played_where_it_is_opened_and_embedded_elsewhere(caller: Caller) -> None:
    task = caller.ended(caller.create("sandbox/instant"))
    answer = httpx2.get(task["content"]["video_url"], trust_env=False)
    secured(answer)
    assert "media-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


def test_an_answer_that_has_a_policy_of_its_own_keeps_it() -> None:
    given = [(b"content-type", b"text/html"), (b"content-security-policy", b"script-src 'self'")]
    names = [name for name, _ in secure_headers.missing(given)]
    assert b"content-security-policy" not in names
    assert b"x-content-type-options" in names


def test_browsers_are_held_to_https_only_where_the_server_is_reached_by_it(
    caller: Caller, open_caller: Caller
) -> None:
    assert "strict-transport-security" not in caller.get("/healthz").headers
    assert open_caller.get("/healthz").headers["strict-transport-security"] == "max-age=31536000"


def preflight(caller: Caller, origin: str) -> httpx2.Response:
    asked = {"origin": origin, "access-control-request-method": "POST"}
    return caller.request("OPTIONS", GENERATIONS, headers=asked)


def allowed(answer: httpx2.Response) -> list[str]:
    return [name for name in answer.headers if name.startswith("access-control-")]


def test_no_page_of_another_origin_may_call_by_default(caller: Caller) -> None:
    answer = caller.get(GENERATIONS, headers={"origin": APP})
    assert (answer.status_code, allowed(answer)) == (200, [])
    assert preflight(caller, APP).status_code == 405


def test_pages_of_the_origins_that_were_named_may_call_and_no_others(open_caller: Caller) -> None:
    asked = preflight(open_caller, APP)
    assert (asked.status_code, asked.content) == (204, b"")
    assert asked.headers["access-control-allow-origin"] == APP
    assert "Idempotency-Key" in asked.headers["access-control-allow-headers"]
    assert {"POST", "PATCH", "DELETE"} <= {*asked.headers["access-control-allow-methods"].split(", ")}
    answer = open_caller.get(GENERATIONS, headers={"origin": APP})
    assert answer.headers["access-control-allow-origin"] == APP
    assert "Retry-After" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    for refused in (preflight(open_caller, OTHER), open_caller.get(GENERATIONS, headers={"origin": OTHER})):
        assert allowed(refused) == []
    for each in (answer, open_caller.get(GENERATIONS), preflight(open_caller, OTHER)):
        assert each.headers["vary"] == "Origin", "a cache would give one origin's answer to another"


def test_a_fault_reaches_the_page_that_caused_it(open_caller: Caller) -> None:
    answer = open_caller.post({"model": 7}, headers={"origin": APP})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (422, APP)


def test_a_star_lets_every_page_call(tmp_path: Path) -> None:
    with serving(tmp_path / "data", MESHAPI_CORS_ORIGINS="*") as started:
        caller = started.caller()
        for answer in (preflight(caller, OTHER), caller.get(GENERATIONS, headers={"origin": OTHER})):
            assert answer.headers["access-control-allow-origin"] == "*"


def test_the_document_of_the_api_is_no_page(caller: Caller) -> None:
    answer = caller.get("/openapi.json")
    assert answer.headers["content-type"].startswith("application/json")
    assert json.loads(answer.content)["openapi"].startswith("3.1")
