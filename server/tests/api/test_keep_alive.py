"""The keep-alive of the event stream, with an interval that a test can wait for."""

import asyncio
from pathlib import Path
from typing import Any

from meshapi_server.accounts.keys import Keys
from meshapi_server.api.application import Application
from meshapi_server.api.events import KEEP_ALIVE_SECONDS, Events
from meshapi_server.api.view import TaskView
from meshapi_server.files.links import Links
from meshapi_server.store.sqlite import SqliteStore
from meshapi_server.store.stored_keys import StoredKeys
from meshapi_server.tasks.changes import Changes
from meshapi_server.tasks.service import TaskService
from meshapi_server.upstreams.catalogue import Catalogue
from meshapi_server.upstreams.registry import Registry

from .. import samples
from ..samples import HandClock
from ..stored import LocalFiles


async def test_a_quiet_stream_says_that_it_lives_and_a_change_interrupts_the_silence(
    store: SqliteStore, tmp_path: Path, clock: HandClock
) -> None:
    registry = Registry(Catalogue.load(), {"mesh", "sandbox"}, simulate=True)
    service = TaskService(store, registry, LocalFiles(tmp_path), Changes(), clock)
    view = TaskView(Links("http://x", b"secret", clock))
    keys = Keys(StoredKeys(store), clock)
    secret, key = await keys.create("test")
    app = Application(Events(service, view, keep_alive=0.05).operations(), keys)
    created = await service.create(key.owner, samples.spec(), request_id="r", respond=lambda *_: b"")
    sent: list[bytes] = []
    quiet = asyncio.Event()

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))
        if sent.count(b": keep-alive\n\n") == 3:
            quiet.set()

    async def receive() -> Any:
        await asyncio.Event().wait()

    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": f"/v1/video/generations/{created.task_id}/events",
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {secret}".encode())],
    }
    streaming = asyncio.create_task(app(scope, receive, send))
    await asyncio.wait_for(quiet.wait(), 10)
    await service.cancel(key.owner, created.task_id)
    await asyncio.wait_for(streaming, 10)
    events = [block for block in sent if block.startswith(b"id: ")]
    assert [b'"failed"' in event for event in events] == [False, True]
    assert sent[-1] == b""


def test_the_interval_of_a_server_is_15_seconds() -> None:
    assert KEEP_ALIVE_SECONDS == 15
