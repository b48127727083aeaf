"""The ASGI application itself: faults of handlers, unfinished answers, lifespan, readiness."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx2
import pytest
import structlog

from meshapi_server.accounts.keys import Keys
from meshapi_server.api.application import Application
from meshapi_server.api.call import Answer, Call, Reply
from meshapi_server.api.errors import APIError
from meshapi_server.api.health import HealthCheck
from meshapi_server.api.operation import Operation, Response
from meshapi_server.store.faults import DatabaseDown
from meshapi_server.store.sqlite import SqliteStore
from meshapi_server.store.stored_keys import StoredKeys
from meshapi_server.tasks.errors import TaskRefusal

from ..samples import HandClock
from ..serving import error


@pytest.fixture
def keys(store: SqliteStore, clock: HandClock) -> Keys:
    return Keys(StoredKeys(store), clock)


def operation(path: str, handler: Callable[[Call], Awaitable[Answer]], *, login: bool = False) -> Operation:
    return Operation(
        method="GET",
        path=path,
        name=path,
        summary="",
        tag="test",
        handler=handler,
        responses={200: Response(description="")},
        login=login,
    )


async def get(app: Any, path: str) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=True)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.get(path)


async def test_a_fault_of_a_handler_is_500_in_the_envelope_and_its_reason_is_in_the_log_alone(
    keys: Keys,
) -> None:
    async def broken(call: Call) -> Answer:
        raise RuntimeError("password is hunter2")

    app = Application([operation("/broken", broken)], keys)
    with structlog.testing.capture_logs() as log:
        answer = await get(app, "/broken")
    found = error(answer, 500, "internal_error")
    assert "hunter2" not in answer.text
    assert "request id" in found["message"]
    assert [entry["request_id"] for entry in log] == [answer.json()["request_id"]]


async def test_a_database_that_does_not_answer_is_503_and_tells_when_to_come_back(keys: Keys) -> None:
    async def waiting(call: Call) -> Answer:
        raise DatabaseDown("postgresql://mesh:hunter2@db is gone")

    with structlog.testing.capture_logs():
        answer = await get(Application([operation("/waiting", waiting)], keys), "/waiting")
    error(answer, 503, "provider_not_available")
    assert answer.headers["retry-after"] == "5"
    assert "hunter2" not in answer.text


async def test_a_fault_while_answering_is_500_when_nothing_was_sent_yet(keys: Keys) -> None:
    class Broken:
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            raise RuntimeError("late")

    async def handler(call: Call) -> Answer:
        return Broken()

    with structlog.testing.capture_logs():
        error(await get(Application([operation("/late", handler)], keys), "/late"), 500, "internal_error")


async def test_a_fault_in_the_middle_of_an_answer_is_logged_and_does_not_leave_the_application(
    keys: Keys,
) -> None:
    class Half:
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise RuntimeError("in the middle")

    async def handler(call: Call) -> Answer:
        return Half()

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        await asyncio.Event().wait()

    scope = {"type": "http", "method": "GET", "path": "/half", "query_string": b"", "headers": []}
    with structlog.testing.capture_logs() as log:
        await Application([operation("/half", handler)], keys)(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert log[0]["event"] == "answer broke off"


async def test_a_refusal_that_nobody_has_a_code_for_is_unprocessable(keys: Keys) -> None:
    async def handler(call: Call) -> Answer:
        raise TaskRefusal("not today")

    answer = await get(Application([operation("/refused", handler)], keys), "/refused")
    assert error(answer, 422, "unprocessable_entity")["message"] == "not today"


async def test_a_handler_without_a_login_cannot_ask_for_an_owner(keys: Keys) -> None:
    async def handler(call: Call) -> Answer:
        return Reply(call.owner.encode())

    with structlog.testing.capture_logs():
        error(await get(Application([operation("/owner", handler)], keys), "/owner"), 500, "internal_error")


async def test_a_server_that_cannot_serve_is_alive_and_not_ready(keys: Keys) -> None:
    async def down() -> None:
        raise RuntimeError("disk is gone")

    app = Application(HealthCheck("1", down).operations(), keys)
    assert (await get(app, "/healthz")).status_code == 200
    answer = await get(app, "/readyz")
    error(answer, 503, "provider_not_available")
    assert "disk" not in answer.text


@pytest.mark.parametrize("headers", [(("allow", "GET"),), ()])
async def test_the_headers_of_an_error_are_sent(keys: Keys, headers: tuple[tuple[str, str], ...]) -> None:
    async def handler(call: Call) -> Answer:
        raise APIError("conflict", "no", headers=headers)

    answer = await get(Application([operation("/x", handler)], keys), "/x")
    assert answer.headers.get("allow") == dict(headers).get("allow")


async def lifespan(app: Application) -> AsyncIterator[str]:
    messages: asyncio.Queue[Any] = asyncio.Queue()
    answers: asyncio.Queue[Any] = asyncio.Queue()
    running = asyncio.create_task(app({"type": "lifespan"}, messages.get, answers.put))
    for event in ("lifespan.startup", "lifespan.shutdown"):
        messages.put_nowait({"type": event})
        yield (await asyncio.wait_for(answers.get(), 5))["type"]
    await asyncio.wait_for(running, 5)


async def test_startup_and_shutdown_run_once_in_order(keys: Keys) -> None:
    seen: list[str] = []

    async def up() -> None:
        seen.append("up")

    async def down() -> None:
        seen.append("down")

    app = Application([], keys, startup=up, shutdown=down)
    assert [answer async for answer in lifespan(app)] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    assert seen == ["up", "down"]


async def test_a_start_that_fails_is_told_to_the_web_server(keys: Keys) -> None:
    async def up() -> None:
        raise RuntimeError("no disk")

    with structlog.testing.capture_logs():
        async for answer in lifespan(Application([], keys, startup=up)):
            assert answer == "lifespan.startup.failed"
            break


async def test_a_websocket_is_closed(keys: Keys) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    await Application([], keys)({"type": "websocket", "path": "/"}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1000}]
