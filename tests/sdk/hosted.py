"""A server that answers in the hosted service's forms, over real HTTP.

What the forms are is written in wire.md, section 4: a create answers its id and nothing else, a waiting task
is `queued`, a task may end `expired` or `cancelled`, `content` is an object, a validation error is FastAPI's
list. It honours no idempotency key, says so by saying nothing, and has no events, no long-poll and no
`/content`. That it is a fair stand-in is shown by the published 0.1.x package working against it
(`test_official.py`).
"""

import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

KEY = "rsk_hosted"
VIDEO = b"\x00\x00\x00\x20ftypisom" + bytes(range(256)) * 40
GENERATIONS = "/v1/video/generations"
ITEM = re.compile(GENERATIONS + r"/([^/?]+)")
FILE = re.compile(r"/files/([^/?]+)\.mp4")

# How a task of a model ends; any other model succeeds.
ENDS = {"hosted/expires": "expired", "hosted/cancelled": "cancelled", "hosted/fails": "failed"}
FIELDS = {
    *("model", "content", "callback_url", "return_last_frame", "service_tier", "execution_expires_after"),
    *("generate_audio", "draft", "resolution", "ratio", "duration", "frames", "seed", "camera_fixed"),
    *("watermark", "safety_identifier", "priority"),
}


@dataclass
class HostedTask:
    """One task: the first look finds it queued, every later one ended."""

    id: str
    model: str
    looks: int = 0

    @property
    def status(self) -> str:
        return "queued" if self.looks < 2 else ENDS.get(self.model, "succeeded")

    def view(self, base: str) -> dict[str, Any]:
        """The task on the wire, with everything the hosted service sends and nothing of ours."""
        done = self.status == "succeeded"
        failed = self.status == "failed"
        return {
            "id": self.id,
            "status": self.status,
            "model": self.model,
            "error": {"code": "upstream_error", "message": "It broke."} if failed else None,
            "content": {"video_url": f"{base}/files/{self.id}.mp4", "last_frame_url": None} if done else None,
            "created_at": 1785585600,
            "updated_at": 1785585600 + self.looks,
            "usage": {"completion_tokens": 7, "total_tokens": 7} if done else None,
        }


@dataclass
class HostedService:
    """The service; ``creates`` holds the body of every create that arrived, ``tasks`` every task paid for."""

    creates: list[dict[str, Any]] = field(default_factory=list)
    tasks: dict[str, HostedTask] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._mutex = threading.Lock()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (ConnectionError, TimeoutError):
                    self.close_connection = True

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                with service._mutex:
                    status, kind, answer = service._answer(self, body)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answer)))
                self.send_header("X-Request-Id", f"req_{len(service.asked)}")
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_DELETE = _any  # noqa: N815 - the names http.server looks for

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - its name there
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def base_url(self) -> str:
        """Where it listens, without /v1."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, str, bytes]:
        parts = urlsplit(request.path)
        self.asked.append(f"{request.command} {parts.path}")
        if (file := FILE.fullmatch(parts.path)) and file[1] in self.tasks:
            return 200, "video/mp4", VIDEO
        status, answer = self._api(request, parts.path, parse_qs(parts.query), body)
        return status, "application/json", json.dumps(answer).encode()

    def _api(
        self, request: BaseHTTPRequestHandler, path: str, query: dict[str, list[str]], body: bytes
    ) -> tuple[int, Any]:
        if not path.startswith("/v1/"):
            return 404, {"detail": "Not Found"}
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return self._refused(401, "unauthorized", "Invalid API key.")
        if path == GENERATIONS:
            return self._create(body) if request.command == "POST" else self._list(query)
        match = ITEM.fullmatch(path)
        if request.command != "GET" or match is None:
            return 404, {"detail": "Not Found"}
        if match[1] not in self.tasks:
            return self._refused(404, "not_found", "Task not found.")
        task = self.tasks[match[1]]
        task.looks += 1
        return 200, task.view(self.base_url)

    def _create(self, body: bytes) -> tuple[int, Any]:
        asked = json.loads(body)
        self.creates.append(asked)
        if faults := _faults(asked):
            return 422, {"detail": faults}
        task = HostedTask(f"cgt-2026-{len(self.tasks) + 1:04d}", asked["model"])
        self.tasks[task.id] = task
        return 200, {"id": task.id}

    def _list(self, query: dict[str, list[str]]) -> tuple[int, Any]:
        limit, offset = int(query.get("limit", ["50"])[0]), int(query.get("offset", ["0"])[0])
        wanted = query.get("status", [])
        found = [task for task in reversed(self.tasks.values()) if not wanted or task.status in wanted]
        data = [task.view(self.base_url) for task in found[offset : offset + limit]]
        more = offset + limit < len(found)
        page = {"object": "list", "data": data, "has_more": more, "total": len(found)}
        return 200, {**page, "limit": limit, "offset": offset}

    def _refused(self, status: int, code: str, message: str) -> tuple[int, Any]:
        return status, {
            "error": {"code": code, "message": message},
            "request_id": f"req_{len(self.asked)}",
        }


def _faults(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """What a strict request model would say: unknown fields, missing ones, media that are no objects."""
    faults = [
        _fault("extra_forbidden", [name], "Extra inputs are not permitted") for name in asked.keys() - FIELDS
    ]
    faults += [
        _fault("missing", [name], "Field required") for name in ("model", "content") if name not in asked
    ]
    for index, item in enumerate(asked.get("content") or []):
        for name in ("image_url", "video_url", "audio_url"):
            if name in item and not isinstance(item[name], dict):
                faults.append(_fault("dict_type", ["content", index, name], "Input should be an object"))
    return faults


def _fault(kind: str, place: list[str | int], message: str) -> dict[str, Any]:
    return {"type": kind, "loc": ["body", *place], "msg": message}
