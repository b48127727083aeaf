"""Whatever takes an id answers for somebody else's as for one that never was: same words, same work."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from msgspec import Struct

from ..inside import Inside, inside
from ..serving import GENERATIONS, TEXT

MODEL = "sandbox/instant"
NEVER = "01ARYZ6S41TSV4RRFFQ69G5FAV"  # of 2016
# What the operations that need a body are sent.
BODIES: dict[str, Any] = {
    "createVideoGeneration": {"model": MODEL, "content": TEXT},
    "quoteVideoGeneration": {"model": MODEL, "content": TEXT},
    "updateWebhookEndpoint": {"description": "mine now"},
    "updateKey": {"name": "mine now"},
    "rotateKey": {},
}
# Path parameters that name nothing that is anybody's.
NOBODYS = {"model_id", "name", "upstream", "signature"}
# Operations for admin keys, which have no tenants: any other key is turned away before it is looked up.
ADMIN = "/v1/admin/"


class Pair(Struct, frozen=True):
    """An id that is somebody else's, and one that never was."""

    theirs: str
    never: str


class Tenants(Struct):
    """Two owners; the first has one of everything that has an id."""

    inside: Inside
    first: httpx2.AsyncClient
    second: httpx2.AsyncClient
    document: dict[str, Any]
    pairs: dict[str, Pair]
    request_id: str


class Operation(Struct, frozen=True):
    """An operation as the published document has it."""

    name: str
    method: str
    path: str
    parameters: tuple[tuple[str, str], ...]
    login: bool

    def names(self, place: str) -> list[str]:
        return [name for name, where in self.parameters if where == place]


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            parameters = tuple((each["name"], each["in"]) for each in told["parameters"])
            yield Operation(told["operationId"], method.upper(), path, parameters, bool(told["security"]))


@pytest.fixture
async def tenants(tmp_path: Path) -> AsyncIterator[Tenants]:
    async with inside(tmp_path) as server:
        first, second = await server.caller("first"), await server.caller("second")
        _, key = await server.server.keys.create("third")
        created = await first.post(GENERATIONS, json={"model": MODEL, "content": TEXT})
        task = created.json()["id"]
        ended = (await first.post(GENERATIONS, json={"model": MODEL, "content": TEXT})).json()["id"]
        assert (await first.post(f"{GENERATIONS}/{ended}/cancel")).json()["status"] == "failed"
        url = {"url": "https://example.com/hook"}
        endpoint = (await first.post("/v1/webhooks/endpoints", json=url)).json()["id"]
        delivery = (await first.post(f"/v1/webhooks/endpoints/{endpoint}/test")).json()
        event = (await first.get("/v1/events")).json()["data"][0]["id"]
        await second.post(GENERATIONS, json={"model": MODEL, "content": TEXT})
        yield Tenants(
            inside=server,
            first=first,
            second=second,
            document=(await first.get("/openapi.json")).json(),
            pairs={
                "task_id": Pair(task, f"task_{NEVER}"),
                "ended_task_id": Pair(ended, f"task_{NEVER}"),
                "endpoint_id": Pair(endpoint, f"whe_{NEVER}"),
                "delivery_id": Pair(delivery["id"], f"{delivery['id'].partition('_')[0]}_{NEVER}"),
                "event_id": Pair(event, f"evt_{NEVER}"),
                "key_id": Pair(key.id, f"key_{NEVER}"),
            },
            request_id=created.headers["x-request-id"],
        )


class Seen(Struct, frozen=True):
    """All that a caller can tell of an answer, and what it cost, but for the ids that differ."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str
    statements: tuple[str, ...]
    transactions: int


_CHANGING = {"x-request-id", "etag", "content-length"}


async def ask(
    tenants: Tenants, client: httpx2.AsyncClient, method: str, path: str, named: str, **more: Any
) -> Seen:
    """Call, and write down everything but the id that the caller named itself."""
    tenants.inside.witness.take()
    answer = await client.request(method, path, **more)
    statements, transactions = tenants.inside.witness.take()
    body = answer.text.replace(named, "ID")
    body = re.sub(r"req_[0-9A-Z]{26}", "REQUEST", body)
    return Seen(
        status=answer.status_code,
        headers=tuple(
            sorted((name, value) for name, value in answer.headers.items() if name not in _CHANGING)
        ),
        body=body,
        statements=tuple(statements),
        transactions=transactions,
    )


def taking_ids(document: dict[str, Any]) -> list[Operation]:
    return [each for each in operations(document) if set(each.names("path")) - NOBODYS]


async def test_every_operation_that_takes_an_id_is_known_to_this_suite(tenants: Tenants) -> None:
    found = taking_ids(tenants.document)
    for operation in found:
        strange = set(operation.names("path")) - NOBODYS - tenants.pairs.keys()
        assert not strange, f"{operation.name}: say in this suite whose {strange} is"
    assert {"getVideoGeneration", "openFile", "getWebhookDelivery", "rotateKey"} <= {
        each.name for each in found
    }
    assert len(found) >= 20


async def test_with_somebody_elses_id_every_operation_answers_as_for_one_that_never_was(
    tenants: Tenants,
) -> None:
    tried = 0
    for operation in taking_ids(tenants.document):
        if not operation.login or operation.path.startswith(ADMIN):
            continue
        (parameter,) = set(operation.names("path")) - NOBODYS
        kinds = [parameter, "ended_task_id"] if parameter == "task_id" else [parameter]
        more = {"json": BODIES[operation.name]} if operation.name in BODIES else {}
        for pair in (tenants.pairs[kind] for kind in kinds):
            path = operation.path.replace(f"{{{parameter}}}", "{}")
            theirs, never = [
                await ask(tenants, tenants.second, operation.method, path.format(named), named, **more)
                for named in (pair.theirs, pair.never)
            ]
            assert theirs == never, operation.name
            assert theirs.status == 404, (operation.name, theirs)
            assert json.loads(theirs.body)["error"]["code"] == "not_found"
            tried += 1
    assert tried >= 16


async def test_what_was_tried_by_others_is_there_and_as_it_was(tenants: Tenants) -> None:
    async def everything() -> list[Any]:
        paths = [
            f"{GENERATIONS}/{tenants.pairs['task_id'].theirs}",
            f"{GENERATIONS}/{tenants.pairs['ended_task_id'].theirs}",
            f"/v1/webhooks/endpoints/{tenants.pairs['endpoint_id'].theirs}",
            f"/v1/webhooks/deliveries/{tenants.pairs['delivery_id'].theirs}",
        ]
        return [(await tenants.first.get(path)).json() for path in paths]

    before = await everything()
    await test_with_somebody_elses_id_every_operation_answers_as_for_one_that_never_was(tenants)
    assert await everything() == before
    assert all("id" in each for each in before)


async def test_the_owner_gets_what_others_are_told_is_not_there(tenants: Tenants) -> None:
    """So that a 404 for everybody would not pass for secrecy."""
    for operation in taking_ids(tenants.document):
        if operation.method != "GET" or not operation.login or operation.path.startswith(ADMIN):
            continue
        if operation.name in {"watchVideoGeneration", "downloadVideoGeneration"}:
            continue  # a stream without an end, and a file that is not there yet
        (parameter,) = set(operation.names("path")) - NOBODYS
        path = operation.path.replace(f"{{{parameter}}}", tenants.pairs[parameter].theirs)
        assert (await tenants.first.get(path)).status_code == 200, operation.name


async def test_a_request_id_of_somebody_else_leads_to_nothing(tenants: Tenants) -> None:
    headers = {"x-mesh-version": "2026-09"}
    mine = await tenants.first.get(f"{GENERATIONS}/{tenants.request_id}", headers=headers)
    assert mine.json()["id"] == tenants.pairs["task_id"].theirs
    theirs, never = [
        await ask(tenants, tenants.second, "GET", f"{GENERATIONS}/{named}", named, headers=headers)
        for named in (tenants.request_id, "req_never")
    ]
    assert (theirs.status, theirs) == (404, never)


async def test_as_a_filter_or_a_cursor_somebody_elses_id_selects_what_an_unknown_one_does(
    tenants: Tenants,
) -> None:
    kinds = {
        ("listVideoGenerations", "after"): "task_id",
        ("listWebhookDeliveries", "after"): "delivery_id",
        ("listWebhookDeliveries", "endpoint_id"): "endpoint_id",
        ("listWebhookDeliveries", "event_id"): "event_id",
        ("listWebhookDeliveries", "task_id"): "task_id",
        ("listEvents", "after"): "event_id",
    }
    found = {
        (operation.name, name): operation
        for operation in operations(tenants.document)
        if not operation.path.startswith(ADMIN)
        for name in operation.names("query")
        if name == "after" or name.endswith("_id")
    }
    assert found.keys() == kinds.keys(), "say in this suite whose id each of these is"
    for (name, parameter), kind in kinds.items():
        operation, theirs = found[name, parameter], tenants.pairs[kind].theirs
        never = theirs[:-1] + ("0" if theirs[-1] != "0" else "1")  # its neighbour: a cursor is a place
        one, other = [
            await ask(tenants, tenants.second, "GET", operation.path, named, params={parameter: named})
            for named in (theirs, never)
        ]
        assert (one.status, one) == (200, other), name
        assert theirs.partition("_")[2] not in one.body


async def test_somebody_elses_draft_is_no_draft(tenants: Tenants) -> None:
    pair = tenants.pairs["ended_task_id"]
    for path in (GENERATIONS, "/v1/video/quote"):
        seen = [
            await ask(
                tenants,
                tenants.second,
                "POST",
                path,
                named,
                json={"model": MODEL, "content": [{"type": "draft_task", "draft_task": {"id": named}}]},
            )
            for named in (pair.theirs, pair.never)
        ]
        assert seen[0] == seen[1]
        assert seen[0].status in {404, 422}


async def test_a_link_without_its_signature_opens_nothing_whoevers_task_it_names(tenants: Tenants) -> None:
    pair = tenants.pairs["task_id"]
    seen = [
        await ask(
            tenants,
            tenants.inside.client(None),
            "GET",
            f"/files/{named}/video.mp4",
            named,
            params={"expires": "9999999999", "signature": "0" * 64},
        )
        for named in (pair.theirs, pair.never)
    ]
    assert seen[0] == seen[1]
    assert seen[0].status in {403, 404}


async def test_an_announcement_that_is_not_signed_tells_nothing_of_the_task_it_names(
    tenants: Tenants,
) -> None:
    pair = tenants.pairs["task_id"]
    seen = [
        await ask(
            tenants,
            tenants.inside.client(None),
            "POST",
            f"/v1/upstreams/byteplus/callbacks/{named}/{'0' * 32}",
            named,
            json={},
        )
        for named in (pair.theirs, pair.never)
    ]
    assert seen[0] == seen[1]
    assert not seen[0].transactions


async def test_a_key_that_is_no_admin_key_learns_nothing_of_keys(tenants: Tenants) -> None:
    pair, tried = tenants.pairs["key_id"], 0
    for operation in operations(tenants.document):
        if not operation.path.startswith(ADMIN):
            continue
        more = {"json": BODIES[operation.name]} if operation.name in BODIES else {}
        seen = [
            await ask(
                tenants,
                tenants.second,
                operation.method,
                operation.path.replace("{key_id}", named),
                named,
                **more,
            )
            for named in (pair.theirs, pair.never)
        ]
        assert seen[0] == seen[1]
        assert (seen[0].status, seen[0].statements) == (403, ("find_key",))
        tried += 1
    assert tried >= 8


async def test_a_model_that_a_key_may_not_use_is_one_that_does_not_exist(tenants: Tenants) -> None:
    limited = await tenants.inside.caller("limited", models=("sandbox/*",))
    hidden, unknown = "mesh/diorama-1", "mesh/nothing-at-all"
    for method, path, body in (
        ("POST", GENERATIONS, True),
        ("POST", "/v1/video/quote", True),
        ("GET", "/v1/models/{}", False),
    ):
        seen = [
            await ask(
                tenants,
                limited,
                method,
                path.format(model),
                model,
                **({"json": {"model": model, "content": TEXT}} if body else {}),
            )
            for model in (hidden, unknown)
        ]
        assert seen[0] == seen[1]
        assert (seen[0].status, json.loads(seen[0].body)["error"]["code"]) == (404, "model_not_found")
    listed = [row["id"] for row in (await limited.get("/v1/models")).json()]
    assert listed
    assert all(model.startswith("sandbox/") for model in listed)
