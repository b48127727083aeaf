"""The answer to a create is lost after the server accepted it: both SDKs, through a real proxy."""

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from cutting_proxy import MANNERS, CuttingProxy, Manner
from go_programs import GoPrograms
from hosted import KEY, HostedService

import meshapi
from server_process import ServerProcess

Create = Callable[[str, str, dict[str, Any]], str]
PROMPT = [{"type": "text", "text": "A lake"}]
MODEL = "sandbox/instant"


def sync(base_url: str, key: str, more: dict[str, Any]) -> str:
    with meshapi.MeshAPI(base_url=base_url, token=key) as client:
        return client.videos.generate(model=MODEL, content=PROMPT, **more).id


def asynchronous(base_url: str, key: str, more: dict[str, Any]) -> str:
    async def create() -> str:
        async with meshapi.AsyncMeshAPI(base_url=base_url, token=key) as client:
            return (await client.videos.generate(model=MODEL, content=PROMPT, **more)).id

    return asyncio.run(create())


def over_aiohttp(base_url: str, key: str, more: dict[str, Any]) -> str:
    async def create() -> str:
        async with (
            aiohttp.ClientSession() as session,
            meshapi.AsyncMeshAPI(base_url=base_url, token=key, http_client=session) as client,
        ):
            return (await client.videos.generate(model=MODEL, content=PROMPT, **more)).id

    return asyncio.run(create())


CLIENTS = [sync, asynchronous, over_aiohttp]


def tasks_marked(server: ServerProcess, mark: str) -> list[str]:
    found = server.call("GET", f"/v1/video/generations?{quote('metadata[mark]')}={mark}")
    assert found["total"] == len(found["data"])
    return [task["id"] for task in found["data"]]


@pytest.mark.parametrize("manner", MANNERS)
@pytest.mark.parametrize("create", CLIENTS)
def test_a_create_whose_answer_was_cut_off_is_repeated_and_is_one_task(
    server: ServerProcess, create: Create, manner: Manner
) -> None:
    mark = uuid.uuid4().hex
    with CuttingProxy(server.base_url, cuts=1, manner=manner) as proxy:
        task_id = create(proxy.base_url, server.key, {"metadata": {"mark": mark}})
    assert proxy.answered == [200, 200]
    assert len(set(proxy.creates)) == 1
    assert proxy.creates[0]
    assert tasks_marked(server, mark) == [task_id]


def test_two_lost_answers_are_one_task_too(server: ServerProcess) -> None:
    mark = uuid.uuid4().hex
    with CuttingProxy(server.base_url, cuts=2, manner="reset") as proxy:
        task_id = sync(proxy.base_url, server.key, {"metadata": {"mark": mark}})
    assert proxy.answered == [200, 200, 200]
    assert tasks_marked(server, mark) == [task_id]


def test_when_every_answer_is_lost_the_error_says_that_a_task_may_exist_and_its_key_finds_it(
    server: ServerProcess,
) -> None:
    mark = uuid.uuid4().hex
    with (
        CuttingProxy(server.base_url, cuts=9, manner="reset") as proxy,
        pytest.raises(meshapi.APIConnectionError) as caught,
    ):
        sync(proxy.base_url, server.key, {"metadata": {"mark": mark}, "max_retries": 1})
    assert caught.value.task_may_exist
    assert caught.value.idempotency_key == proxy.creates[0] == proxy.creates[1]
    repeated = {"metadata": {"mark": mark}, "idempotency_key": caught.value.idempotency_key}
    assert tasks_marked(server, mark) == [sync(server.base_url, server.key, repeated)]


@pytest.mark.parametrize("manner", MANNERS)
@pytest.mark.parametrize("create", CLIENTS)
def test_without_idempotency_keys_a_sent_create_is_not_sent_again_and_the_error_says_why(
    hosted: HostedService, create: Create, manner: Manner
) -> None:
    kind = meshapi.UpstreamError if manner == "bad_gateway" else meshapi.APIConnectionError
    with (
        CuttingProxy(hosted.base_url, cuts=1, manner=manner) as proxy,
        pytest.raises(kind) as caught,
    ):
        create(proxy.base_url, KEY, {})
    assert proxy.answered == [200]
    assert len(hosted.creates) == len(hosted.tasks) == 1
    assert caught.value.task_may_exist
    assert "The task may exist: the answer to the create was lost." in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("manner", MANNERS)
def test_in_go_a_create_whose_answer_was_cut_off_is_repeated_and_is_one_task(
    server: ServerProcess, go: GoPrograms, manner: Manner
) -> None:
    mark = uuid.uuid4().hex
    with CuttingProxy(server.base_url, cuts=1, manner=manner) as proxy:
        ran = go.run("call", "create", MODEL, mark, base_url=proxy.base_url, key=server.key)
    told = json.loads(ran.stdout)
    assert "error" not in told, told
    assert proxy.answered == [200, 200]
    assert len(set(proxy.creates)) == 1
    assert tasks_marked(server, mark) == [told["id"]]


@pytest.mark.parametrize("manner", MANNERS)
def test_in_go_without_idempotency_keys_a_sent_create_is_not_sent_again_and_the_error_says_why(
    hosted: HostedService, go: GoPrograms, manner: Manner
) -> None:
    with CuttingProxy(hosted.base_url, cuts=1, manner=manner) as proxy:
        ran = go.run("call", "create", MODEL, base_url=proxy.base_url, key=KEY)
    told = json.loads(ran.stdout)
    assert proxy.answered == [200]
    assert len(hosted.creates) == len(hosted.tasks) == 1
    assert told.get("is_connection", False) == (manner != "bad_gateway")
    assert told.get("http_status", 0) == (502 if manner == "bad_gateway" else 0)
    assert told["task_may_exist"]
    assert told["idempotency_key"] == proxy.creates[0]
    assert "the task may exist: the answer to the create was lost" in told["error"]
    assert KEY not in told["error"]
