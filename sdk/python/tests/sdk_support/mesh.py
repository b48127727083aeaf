"""A small working service: tasks that run by the clock, in the manner of our server or of the hosted one.

It speaks only as much of wire.md as clients can tell apart, and counts how many videos were paid for.
"""

import base64
import datetime
import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .scripted import Asked, Hangup, Say, ScriptedServer

KEY = "rsk_test_0123456789"
VIDEO = bytes(range(256)) * 300
ITEM = re.compile(r"/v1/video/generations/([^/]+)(?:/(\w+))?")
MODELS = [
    {"id": "mesh/diorama-1", "name": "Diorama 1", "provider": "mesh", "model_type": "video", "pricing": None},
    {
        "id": "sandbox/instant",
        "name": "Instant",
        "provider": "sandbox",
        "model_type": "video",
        "pricing": None,
    },
]


@dataclass
class Task:
    """One task; its state follows from how long it has been there."""

    id: str
    body: dict[str, Any]
    seconds: float
    created: float = field(default_factory=time.time)
    ended: str | None = None
    error: dict[str, str] | None = None

    def status(self) -> str:
        """The public status now."""
        if self.ended:
            return self.ended
        age = time.time() - self.created
        if age >= self.seconds:
            self.ended = "failed" if self.error else "succeeded"
            return self.ended
        return "pending" if age < self.seconds / 3 else "running"


class MeshService(ScriptedServer):
    """``seconds`` is how long a task takes; ``fail_with`` makes the next ones fail; ``paid`` counts tasks."""

    def __init__(self, *, hosted: bool = False) -> None:
        super().__init__()
        self.hosted = hosted
        self.key = KEY
        self.seconds = 0.3
        self.fail_with: dict[str, str] | None = None
        self.tasks: dict[str, Task] = {}
        self.by_key: dict[str, str] = {}
        # Faults to inject: each takes a request and may return what to do instead of (or after) serving it.
        self.instead: list[Say | Hangup | None] = []
        self.after: list[Say | Hangup | None] = []
        self._mutex = threading.RLock()
        self.handler = self._serve

    @property
    def paid(self) -> int:
        """How many videos were accepted, and would have been billed."""
        return len(self.tasks)

    def _serve(self, asked: Asked) -> Say | Hangup:
        with self._mutex:
            counted = asked.path.startswith("/v1/")
            instead = self.instead.pop(0) if self.instead and counted else None
            said = instead or self._route(asked)
            after = self.after.pop(0) if self.after and counted and instead is None else None
        said = after or said
        if isinstance(said, Say):
            said.headers.setdefault(
                "X-Request-Id", asked.headers.get("x-request-id") or f"req_{len(self.asked)}"
            )
            if not self.hosted and instead is None and after is None:
                said.headers["X-Mesh-Idempotency"] = "supported"
        return said

    def _route(self, asked: Asked) -> Say:
        if asked.path == "/healthz" and not self.hosted:
            return Say(200, {"status": "ok"})
        if asked.path.startswith("/files/"):
            return self._file(asked)
        if asked.headers.get("authorization") != f"Bearer {self.key}":
            return _error(401, "unauthorized", "The API key is unknown.")
        if asked.path == "/v1/video/quote" and not self.hosted:
            return self._quote(asked)
        if asked.path == "/v1/models":
            return Say(200, MODELS)
        if asked.path == "/v1/video/generations":
            return self._create(asked) if asked.method == "POST" else self._list(asked)
        match = ITEM.fullmatch(asked.path)
        task = self.tasks.get(match[1]) if match else None
        if match is None or task is None or (self.hosted and match[2]):
            return _error(404, "not_found", "There is no such task.")
        return self._item(asked, task, match[2])

    def _item(self, asked: Asked, task: Task, action: str | None) -> Say:
        if asked.method == "DELETE":
            return self._delete(task)
        if action == "cancel":
            if task.status() in {"succeeded", "failed"}:
                return _error(409, "conflict", f"Task {task.id} has ended.")
            task.ended, task.error = "failed", {"code": "cancelled", "message": "Cancelled."}
        if action == "events":
            return Say(200, headers={"Content-Type": "text/event-stream"}, chunks=self._events(asked, task))
        if action == "content":
            return self._file(asked, task)
        if action == "timeline":
            return Say(200, self._timeline(task))
        wait = dict(asked.query).get("wait")
        if wait and not self.hosted:
            return Say(200, self.view(task), delay=max(0.0, min(float(wait), self._left(task))))
        return Say(200, self.view(task))

    def _create(self, asked: Asked) -> Say:
        key = asked.headers.get("idempotency-key")
        body = json.loads(asked.body)
        if "model" not in body:
            return Say(
                422, {"detail": [{"type": "missing", "loc": ["body", "model"], "msg": "Field required"}]}
            )
        if key in self.by_key and not self.hosted:
            return Say(200, self.view(self.tasks[self.by_key[key]]), {"Idempotent-Replayed": "true"})
        task = Task(f"task_{len(self.tasks) + 1:04d}", body, self.seconds, error=self.fail_with)
        self.tasks[task.id] = task
        if key:
            self.by_key[key] = task.id
        return Say(200, {**self.view(task), "unsupported_params": None})

    def _quote(self, asked: Asked) -> Say:
        body = json.loads(asked.body)
        if body["model"] != "mesh/diorama-1":
            return Say(200, {"object": "quote", "model": body["model"], "cost_usd": None, "lines": []})
        seconds = body.get("duration") or 5
        line = {"item": "video", "quantity": str(seconds), "unit": "second", "unit_price_usd": "0.05"}
        cost = f"{seconds * 5 / 100:.2f}"
        lines = [{**line, "cost_usd": cost}]
        reason = "A price of tests." if body.get("seed") == 7 else None
        quote = {"object": "quote", "model": body["model"], "cost_usd": cost, "reason": reason}
        return Say(200, {**quote, "lines": lines})

    @staticmethod
    def _timeline(task: Task) -> dict[str, Any]:
        rows: list[dict[str, Any]] = [
            {"kind": "created", "started_at": task.created, "ended_at": task.created},
            {"kind": "render", "attempt": 1, "started_at": task.created + 0.25, "upstream": "mesh"},
        ]
        if task.status() in {"succeeded", "failed"}:
            ended = task.created + task.seconds
            rows[1] |= {"ended_at": ended, "result": task.ended, "message": "[bold]done[/bold]"}
            rows.append({"kind": "ended", "started_at": ended, "ended_at": ended, "result": task.ended})
        return {"object": "timeline", "id": task.id, "data": rows}

    def _list(self, asked: Asked) -> Say:
        query = dict(asked.query)
        wanted = {value for name, value in asked.query if name == "status"}
        tasks = [task for task in reversed(self.tasks.values()) if not wanted or task.status() in wanted]
        limit, start = int(query.get("limit", 50)), int(query.get("offset", 0))
        if "after" in query and not self.hosted:
            start = [task.id for task in tasks].index(query["after"]) + 1
        data = [self.view(task) for task in tasks[start : start + limit]]
        more = start + limit < len(tasks)
        page = {"object": "list", "data": data, "has_more": more, "total": len(tasks), "limit": limit}
        return Say(200, {**page, "offset": start})

    def _delete(self, task: Task) -> Say:
        if task.status() in {"succeeded", "failed"}:
            del self.tasks[task.id]
            return Say(200, {"id": task.id, "object": "video.generation.deleted", "deleted": True})
        task.ended, task.error = "failed", {"code": "cancelled", "message": "Cancelled."}
        return Say(200, self.view(task))

    def _file(self, asked: Asked, task: Task | None = None) -> Say:
        if task is not None and task.status() != "succeeded":
            return _error(409, "conflict", f"Task {task.id} is still {task.status()}.")
        headers = {"Content-Type": "video/mp4", "ETag": '"v1"', "Accept-Ranges": "bytes"}
        if task is not None:
            digest = base64.b64encode(hashlib.sha256(VIDEO).digest()).decode()
            headers["Repr-Digest"] = f"sha-256=:{digest}:"
        match = re.fullmatch(r"bytes=(\d+)-", asked.headers.get("range", ""))
        if match is None:
            return Say(200, VIDEO, headers)
        start = int(match[1])
        headers["Content-Range"] = f"bytes {start}-{len(VIDEO) - 1}/{len(VIDEO)}"
        return Say(206, VIDEO[start:], headers)

    def _events(self, asked: Asked, task: Task) -> Iterator[bytes]:
        yield b": stream of task changes\n\n"
        seen = int(asked.headers.get("last-event-id") or 0)
        while True:
            body = self.view(task)
            version = round(body["progress"] * 100) + 1
            if version > seen or body["status"] in {"succeeded", "failed"}:
                seen = version
                yield b"id: %d\nevent: task\ndata: %s\n\n" % (version, json.dumps(body).encode())
            if body["status"] in {"succeeded", "failed"}:
                return
            time.sleep(0.02)

    def view(self, task: Task) -> dict[str, Any]:
        """The task on the wire."""
        status = task.status()
        link = f"{self.url}/files/{task.id}/video.mp4?signature=abc"
        content = {"video_url": link, "last_frame_url": None} if status == "succeeded" else None
        error = task.error if status == "failed" else None
        body = {
            "id": task.id,
            "status": status,
            "model": task.body["model"],
            "error": error,
            "content": content,
        }
        if self.hosted:
            created = datetime.datetime.fromtimestamp(task.created, datetime.UTC).isoformat()
            return {**body, "status": {"pending": "queued"}.get(status, status), "created_at": created}
        done = 1.0 if task.ended else min(1.0, (time.time() - task.created) / task.seconds)
        queued = 1 if status == "pending" else None
        return {**body, "created_at": int(task.created), "progress": round(done, 2), "queue_position": queued}

    @staticmethod
    def _left(task: Task) -> float:
        return 0.0 if task.ended else task.created + task.seconds - time.time()


def _error(status: int, code: str, message: str) -> Say:
    return Say(status, {"error": {"code": code, "message": message}, "request_id": "req_mesh"})
