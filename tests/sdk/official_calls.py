"""Every video call of the published meshapi 0.1.x; run by that package's interpreter, told as JSON.

official_calls.py calls BASE_URL KEY MODEL    every call, sync and async
official_calls.py errors BASE_URL KEY OFF_URL OFF_KEY    one error of each kind; OFF: without simulation
official_calls.py refusals BASE_URL KEYS    what an operator has forbidden; KEYS: JSON, by name
official_calls.py rows BASE_URL ROWS    each row of the error table, from a server that obeys; ROWS: JSON
"""

import asyncio
import importlib.metadata
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx

from meshapi import (
    AsyncMeshAPI,
    ListVideoGenerationsParams,
    MeshAPI,
    MeshAPIError,
    VideoContentItem,
    VideoGenerationParams,
)

LAKE = VideoContentItem(type="text", text="A serene mountain lake at sunrise")
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)
PATIENCE = 120.0


def ended(client: MeshAPI, task_id: str) -> Any:
    """The loop that users of 0.1.x write."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        task = client.videos.retrieve(task_id)
        if task.status in ("succeeded", "failed"):
            return task
        time.sleep(0.1)
    raise TimeoutError(task_id)


def everything(model: str) -> VideoGenerationParams:
    """Every parameter that the package has, but for `frames`, which excludes `duration`."""
    return VideoGenerationParams(
        model=model,
        content=[LAKE],
        callback_url="https://example.com/hook",
        return_last_frame=True,
        service_tier="default",
        execution_expires_after=3600,
        generate_audio=True,
        draft=False,
        resolution="480p",
        ratio="16:9",
        duration=5,
        seed=7,
        camera_fixed=False,
        watermark=False,
        safety_identifier="user-1",
        priority=3,
    )


def calls(base_url: str, key: str, model: str) -> dict[str, Any]:
    """What each call gave."""
    client = MeshAPI(base_url=base_url, token=key)
    plain = client.videos.generate(VideoGenerationParams(model=model, content=[LAKE]))
    task = ended(client, plain.id)
    told: dict[str, Any] = {
        "version": importlib.metadata.version("meshapi"),
        "created": plain.model_dump(),
        "task": task.model_dump(),
        "list": client.videos.list().model_dump(),
        "page": client.videos.list(ListVideoGenerationsParams(limit=1, offset=0)).model_dump(),
        "async": asyncio.run(asynchronous(base_url, key, model)),
    }
    return told


def ours(base_url: str, key: str) -> dict[str, Any]:
    """The calls that need models of ours: every parameter, inputs, filters, failures, the catalogue."""
    client = MeshAPI(base_url=base_url, token=key)
    full = ended(client, client.videos.generate(everything("sandbox/instant")).id)
    image = VideoContentItem(type="image_url", image_url={"url": PIXEL}, role="first_frame")
    from_image = client.videos.generate(VideoGenerationParams(model="sandbox/instant", content=[LAKE, image]))
    failed = ended(
        client, client.videos.generate(VideoGenerationParams(model="sandbox/fails", content=[LAKE])).id
    )
    filters = ListVideoGenerationsParams(
        status="succeeded",
        model="sandbox/instant",
        created_after="2020-01-01T00:00:00Z",
        created_before="2099-01-01T00:00:00Z",
        limit=2,
        offset=1,
    )
    return {
        "full": full.model_dump(),
        "from_image": ended(client, from_image.id).model_dump(),
        "failed": failed.model_dump(),
        "filtered": client.videos.list(filters).model_dump(),
        "models": [model.id for model in client.models.list(type="video")],
        "model": client.models.get("mesh/diorama-1").model_dump(mode="json"),
    }


async def asynchronous(base_url: str, key: str, model: str) -> dict[str, Any]:
    """The same through the asynchronous client."""
    async with AsyncMeshAPI(base_url=base_url, token=key) as client:
        created = await client.videos.generate(VideoGenerationParams(model=model, content=[LAKE]))
        task = await client.videos.retrieve(created.id)
        page = await client.videos.list(ListVideoGenerationsParams(limit=5))
        return {
            "created": created.model_dump(),
            "task": task.model_dump(),
            "listed": [each.id for each in page.data],
        }


def errors(base_url: str, key: str, off_url: str, off_key: str) -> dict[str, Any]:
    """What the package makes of each error that one of its video calls can meet."""

    def client(token: str = key, **headers: str) -> MeshAPI:
        inner = httpx.Client(base_url=base_url, headers=headers, timeout=60)
        return MeshAPI(base_url=base_url, token=token, max_retries=0, httpx_client=inner)

    def create(by: MeshAPI, model: str = "sandbox/instant", text: str = "x", **more: Any) -> Any:
        content = [VideoContentItem(type="text", text=text)]
        return by.videos.generate(VideoGenerationParams(model=model, content=content, **more))

    def mismatch() -> None:
        by = client(**{"Idempotency-Key": "official-1"})
        create(by)
        create(by, text="y")

    stuck = create(client(), model="sandbox/stuck").id
    off = MeshAPI(base_url=off_url, token=off_key, max_retries=0)
    provocations = {
        "400 invalid_request": lambda: create(client(**{"Idempotency-Key": "two words"})),
        "400 invalid_api_version": lambda: client(**{"X-Mesh-Version": "1999-01"}).videos.list(),
        "401 unauthorized": lambda: client(token="rsk_wrong").videos.list(),
        "404 not_found": lambda: client().videos.retrieve("task_01K5A9Q8ZJ3V7T1N2M4P6R8S0W"),
        "404 model_not_found": lambda: create(client(), model="nobody/nothing"),
        "405 method_not_allowed": lambda: client().videos.retrieve(f"{stuck}/cancel"),
        "409 conflict": lambda: client().videos.retrieve(f"{stuck}/content"),
        "413 request_too_large": lambda: create(client(), text="x" * (33 * 2**20)),
        "422 validation_error": lambda: create(client(), duration=5000),
        "422 idempotency_mismatch": mismatch,
        "503 provider_not_available": lambda: create(off, model="byteplus/dreamina-seedance-2-0"),
    }
    return {row: told(provoke) for row, provoke in provocations.items()}


def refusals(base_url: str, keys: str) -> dict[str, Any]:
    """What the package makes of what an operator has forbidden; ``keys`` are made for it, by their names."""

    def client(name: str, **options: Any) -> MeshAPI:
        return MeshAPI(base_url=base_url, token=json.loads(keys)[name], max_retries=0, **options)

    def create(by: MeshAPI, model: str = "sandbox/stuck") -> Any:
        return by.videos.generate(VideoGenerationParams(model=model, content=[LAKE]))

    def asked_once_more() -> None:
        by = client("asks")
        by.videos.list()
        by.videos.list()

    def one_task_more() -> None:
        by = client("crowd")
        create(by)
        create(by)

    def as_text(request: httpx.Request) -> None:
        request.headers["content-type"] = "text/plain"

    inner = httpx.Client(base_url=base_url, event_hooks={"request": [as_text]}, timeout=60)
    provocations = {
        "401 unauthorized": lambda: client("revoked").videos.list(),
        "401 unauthorized, expired": lambda: client("expired").videos.list(),
        "401 unauthorized, replaced": lambda: client("replaced").videos.list(),
        "403 forbidden": lambda: client("suspended").videos.list(),
        "403 forbidden, admin": lambda: client("admin").videos.list(),
        "404 model_not_found": lambda: create(client("narrow"), model="sandbox/instant"),
        "415 unsupported_media_type": lambda: create(client("asks", httpx_client=inner)),
        "429 rate_limit_exceeded": asked_once_more,
        "429 rate_limit_exceeded, tasks": one_task_more,
    }
    return {row: told(provoke) for row, provoke in provocations.items()}


def rows(base_url: str, names: str) -> dict[str, Any]:
    """What the package makes of each row of the error table, from a server that obeys."""

    def asking_for(name: str) -> MeshAPI:
        inner = httpx.Client(base_url=base_url, headers={"x-row": name}, timeout=60)
        return MeshAPI(base_url=base_url, token="rsk_any", max_retries=0, httpx_client=inner)

    return {name: told(asking_for(name).videos.list) for name in json.loads(names)}


def told(provoke: Callable[[], Any]) -> dict[str, Any] | None:
    """The error that the package raised; None if it raised none."""
    try:
        provoke()
    except MeshAPIError as error:
        return {
            "status": error.status,
            "error_code": error.error_code,
            "request_id": error.request_id,
            "details": error.details,
            "retry_after_seconds": error.retry_after_seconds,
            "message": str(error),
        }
    return None


def main() -> None:
    """Print one JSON document."""
    known = {"calls": calls, "ours": ours, "errors": errors, "refusals": refusals, "rows": rows}
    what = known[sys.argv[1]]
    print(json.dumps(what(*sys.argv[2:])))


main()
