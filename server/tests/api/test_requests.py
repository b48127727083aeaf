"""What holds for every call: request id, version, login, routes, methods (wire.md section 1)."""

import re

import pytest

from ..serving import GENERATIONS, Caller, ServerProcess, error

ULID = "[0-9A-HJKMNP-TV-Z]{26}"


@pytest.fixture
def nobody(server: ServerProcess) -> Caller:
    return server.caller(None)


@pytest.mark.parametrize("given", ["a", "A.b_c:d-9", "x" * 64, "req_1"])
def test_a_request_id_that_fits_is_echoed(caller: Caller, given: str) -> None:
    answer = caller.get(GENERATIONS, headers={"x-request-id": given})
    assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a/b", "ümlaut".encode(), "a;b", '"q"'])
def test_a_request_id_that_does_not_fit_is_replaced_by_a_fresh_one(
    caller: Caller, given: str | bytes
) -> None:
    answer = caller.get(GENERATIONS, headers={"x-request-id": given})
    assert re.fullmatch(f"req_{ULID}", answer.headers["x-request-id"])


def test_an_error_carries_the_request_id_in_its_body(caller: Caller) -> None:
    answer = caller.get(f"{GENERATIONS}/task_none", headers={"x-request-id": "mine-1"})
    error(answer, 404, "not_found")
    assert answer.json()["request_id"] == "mine-1"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/openapi.json"])
def test_health_and_the_document_need_no_login_and_carry_the_same_headers(nobody: Caller, path: str) -> None:
    answer = nobody.get(path)
    assert answer.status_code == 200
    assert re.fullmatch(f"req_{ULID}", answer.headers["x-request-id"])
    assert answer.headers["x-mesh-version"] == "2026-08"


def test_health_tells_the_version(nobody: Caller) -> None:
    assert nobody.get("/healthz").json() == {"status": "ok", "version": "0.1.0"}


@pytest.mark.parametrize("version", ["2026-08", "2026-09"])
def test_a_version_that_is_spoken_is_echoed(caller: Caller, version: str) -> None:
    answer = caller.get(GENERATIONS, headers={"x-mesh-version": version})
    assert (answer.status_code, answer.headers["x-mesh-version"]) == (200, version)


@pytest.mark.parametrize("version", ["", "2026-10", "latest", "é".encode(), "9" * 5000])
def test_an_unknown_version_is_refused_before_the_login_and_names_those_that_are_spoken(
    nobody: Caller, version: str | bytes
) -> None:
    found = error(nobody.get(GENERATIONS, headers={"x-mesh-version": version}), 400, "invalid_api_version")
    assert found["supported_versions"] == ["2026-08", "2026-09"]
    assert len(found["message"]) < 200


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic cnNrXzEyMw==",
        "rsk_0123456789ABCDEFGHJKMNPQRS",
        "Bearer sk-0123456789",
        "Bearer rsk_0123456789ABCDEFGHJKMNPQRS",
        "Bearer rsk_" + "A" * 5000,
        "Bearer ümlaut".encode(),
    ],
)
@pytest.mark.parametrize("path", [GENERATIONS, "/v1/models", f"{GENERATIONS}/task_x/content"])
def test_a_missing_malformed_or_unknown_key_is_401(
    nobody: Caller, path: str, header: str | bytes | None
) -> None:
    answer = nobody.raw("GET", path, {} if header is None else {"authorization": header})
    found = error(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "0123456789" not in found["message"]


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer  "])
def test_the_scheme_is_compared_without_regard_to_case(
    nobody: Caller, server: ServerProcess, scheme: str
) -> None:
    answer = nobody.get(GENERATIONS, headers={"authorization": f"{scheme} {server.api_key}"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/",
        "/v1/video/generations/",
        "/v1/video/generations/a/b",
        "/v2/video/generations",
        "/V1/video/generations",
        "//v1/video/generations",
        "/%00",
        "/%C3%A9%FF" + "x" * 3000,
        "/v1/video/generations/../../models",
    ],
)
def test_a_path_that_is_not_there_is_404_in_the_envelope(caller: Caller, path: str) -> None:
    found = error(caller.raw("GET", path), 404, "not_found")
    assert len(found["message"]) < 400


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", GENERATIONS, "GET, HEAD, POST"),
        ("DELETE", GENERATIONS, "GET, HEAD, POST"),
        ("PATCH", f"{GENERATIONS}/task_x", "DELETE, GET, HEAD"),
        ("POST", f"{GENERATIONS}/task_x", "DELETE, GET, HEAD"),
        ("GET", f"{GENERATIONS}/task_x/cancel", "POST"),
        ("HEAD", f"{GENERATIONS}/task_x/cancel", "POST"),
        ("POST", "/v1/models", "GET, HEAD"),
        ("OPTIONS", "/v1/models", "GET, HEAD"),
        ("PROPFIND", "/healthz", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_405_and_names_the_right_ones(
    caller: Caller, method: str, path: str, allowed: str
) -> None:
    answer = caller.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    if method != "HEAD":
        error(answer, 405, "method_not_allowed")


@pytest.mark.parametrize("path", [GENERATIONS, "/v1/models", "/healthz", "/openapi.json"])
def test_head_answers_what_get_would_without_its_body(caller: Caller, path: str) -> None:
    head, get = caller.request("HEAD", path), caller.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]
    assert head.headers["content-type"] == get.headers["content-type"]


def test_a_task_belongs_to_the_owner_of_the_key_in_every_call(caller: Caller, stranger: Caller) -> None:
    task = caller.create()
    path = f"{GENERATIONS}/{task['id']}"
    for method, suffix in (
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/cancel"),
        ("GET", "/events"),
        ("GET", "/content"),
    ):
        error(stranger.request(method, path + suffix), 404, "not_found")
    assert stranger.get(GENERATIONS).json()["total"] == 0
    assert caller.task(task["id"])["status"] in {"pending", "running"}


def test_the_later_version_adds_the_request_id_to_every_task_body_and_the_default_does_not(
    caller: Caller,
) -> None:
    later = {"x-mesh-version": "2026-09"}
    made = caller.post(
        {"model": "sandbox/stuck", "content": [{"type": "text", "text": "x"}]},
        headers={**later, "x-request-id": "the-create"},
    ).json()
    assert made["request_id"] == "the-create"
    path = f"{GENERATIONS}/{made['id']}"
    assert caller.get(path, headers=later).json()["request_id"] == "the-create"
    listed = caller.get(GENERATIONS, headers=later).json()["data"]
    assert next(task for task in listed if task["id"] == made["id"])["request_id"] == "the-create"
    assert "request_id" not in caller.get(path).json()
    assert all("request_id" not in task for task in caller.get(GENERATIONS).json()["data"])
    assert caller.request("POST", f"{path}/cancel", headers=later).json()["request_id"] == "the-create"


def test_the_later_version_finds_a_task_by_the_request_id_of_its_create(
    caller: Caller, stranger: Caller
) -> None:
    later = {"x-mesh-version": "2026-09"}
    body = {"model": "sandbox/stuck", "content": [{"type": "text", "text": "x"}]}
    made = caller.post(body, headers={"x-request-id": "find-me"}).json()
    assert caller.get(f"{GENERATIONS}/find-me", headers=later).json()["id"] == made["id"]
    error(caller.get(f"{GENERATIONS}/find-me"), 404, "not_found")
    error(stranger.get(f"{GENERATIONS}/find-me", headers=later), 404, "not_found")


def test_an_unknown_task_is_404_and_its_id_is_named_in_a_bounded_message(caller: Caller) -> None:
    found = error(caller.get(f"{GENERATIONS}/task_nowhere"), 404, "not_found")
    assert "task_nowhere" in found["message"]
    long = error(caller.get(f"{GENERATIONS}/{'x' * 10_000}"), 404, "not_found")
    assert len(long["message"]) < 300
    named = error(caller.get(f"/v1/models/{'x' * 10_000}"), 404, "model_not_found")
    assert len(named["message"]) < 300


@pytest.mark.parametrize(
    "query",
    [
        "status=pending&" * 300,
        "x" * 1_000_000,
        "a=%ff",
        "a=%",
        "&&&===",
        "limit=1;offset=2",
        "metadata[" + "k" * 60_000 + "]=v",
        "after=" + "z" * 1_000_000,
        "&".join(f"metadata[{number}]=v" for number in range(199)),
        "&".join(f"model=m{number}" for number in range(199)),
    ],
    ids=["many", "long", "latin", "percent", "empty", "semicolon", "key", "cursor", "metadata", "models"],
)
def test_no_query_string_breaks_the_server_and_no_answer_repeats_it_at_length(
    caller: Caller, query: str
) -> None:
    answer = caller.raw("GET", f"{GENERATIONS}?{query}")
    assert answer.status_code in {200, 400, 414, 422}, answer.text
    assert len(answer.content) < 20_000


def test_what_a_header_says_never_becomes_a_header_of_the_answer(caller: Caller) -> None:
    hostile = "a\tb: c"
    answer = caller.get(GENERATIONS, headers={"x-request-id": hostile, "x-meshapi-sdk": hostile})
    assert answer.status_code == 200
    assert "c" not in answer.headers.values()
