"""What each endpoint of the mock answers (wire.md sections 2 to 10). No I/O."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from meshapi._exchange import Answer, Failure

from .tasks import MockTask

if TYPE_CHECKING:
    from .server import MockRequest, MockServer

_ACTIONS = frozenset({"content", "events", "timeline", "cancel"})
_KEEP_ALIVE_SECONDS = 15.0
_MODEL = {"id": "mesh/diorama-1", "name": "Diorama 1", "provider": "mesh", "model_type": "video"}
_HOSTED_WORDS = {"expired": "expired", "cancelled": "cancelled"}


@dataclass(frozen=True, slots=True)
class Served:
    """An answer, or the lack of one. ``events`` feeds a stream; ``broken`` is how a body ends too early."""

    answer: Answer | Failure
    events: Iterator[bytes] | None = None
    broken: Failure | None = None


def serve(server: MockServer, asked: MockRequest) -> Served:
    """The answer to one request."""
    if asked.operation == "health":
        return _json({"status": "ok"})
    if asked.operation == "models":
        return _models(asked)
    if asked.operation == "generate":
        return _create(server, asked)
    if asked.operation == "quote" and not server.hosted:
        return _quote(server, asked)
    if asked.operation == "list":
        return _list(server, asked)
    names = [unquote(part) for part in asked.path.split("/")]
    task_id = names[-2] if names[-1] in {*_ACTIONS, "video", "last_frame"} else names[-1]
    task = server.tasks.get(task_id)
    handler = _ON_TASKS.get(asked.operation)
    missing = server.hosted and asked.operation in {"events", "timeline", "cancel"}
    if task is None or handler is None or missing or (server.hosted and names[-1] == "content"):
        return _error(404, "not_found", "There is no such resource.")
    return handler(server, task, asked)


def view(server: MockServer, task: MockTask) -> dict[str, Any]:
    """The task as the server words it."""
    from .server import FILES_URL

    body = task.view(server.clock.now, FILES_URL)
    if server.hosted:
        code = str((body["error"] or {}).get("code"))
        body["status"] = {"pending": "queued"}.get(body["status"], _HOSTED_WORDS.get(code, body["status"]))
    return body


def _create(server: MockServer, asked: MockRequest) -> Served:
    body = _parameters(asked)
    if isinstance(body, Served):
        return body
    key = None if server.hosted else asked.headers.get("idempotency-key")
    if key in server.keys:
        task_id, first = server.keys[key]
        if first != asked.body:
            return _error(422, "idempotency_mismatch", "The key was used with another body.")
        task = server.tasks.get(task_id)
        if task is None:
            return _error(404, "not_found", "The task of this key was deleted.")
        return _json({**view(server, task), "unsupported_params": None}, {"idempotent-replayed": "true"})
    if body.get("max_cost_usd") is not None and server.costs_more_than(body["max_cost_usd"]):
        told = f"It would cost {server.cost_usd} USD, more than max_cost_usd."
        return _error(402, "spend_limit_exceeded", told)
    task = server.accept(body)
    if key is not None:
        server.keys[key] = (task.id, asked.body)
    return _json({**view(server, task), "unsupported_params": None})


def _quote(server: MockServer, asked: MockRequest) -> Served:
    body = _parameters(asked)
    if isinstance(body, Served):
        return body
    cost = server.cost_usd
    line = {"item": "video", "quantity": "1", "unit": "video", "unit_price_usd": cost, "cost_usd": cost}
    reason = "The mock was told no price." if cost is None else None
    lines = [] if cost is None else [line]
    quote = {"object": "quote", "model": body["model"], "cost_usd": cost, "reason": reason, "lines": lines}
    return _json({**quote, "unsupported_params": None})


def _parameters(asked: MockRequest) -> dict[str, Any] | Served:
    try:
        body = json.loads(asked.body)
    except ValueError:
        return _error(400, "invalid_request", "The body is no JSON.")
    for name, kind in (("model", str), ("content", list)):
        if not isinstance(body, dict) or not isinstance(body.get(name), kind):
            detail = {"type": "missing", "loc": ["body", name], "msg": "Field required"}
            return _error(422, "validation_error", f"body.{name}: Field required", details=[detail])
    return dict(body)


def _list(server: MockServer, asked: MockRequest) -> Served:
    query = dict(asked.query)
    tasks = [each for each in reversed(server.created) if each.id in server.tasks]
    for name in ("status", "model"):
        wanted = {value for key, value in asked.query if key == name}
        tasks = [each for each in tasks if not wanted or view(server, each)[name] in wanted]
    for key, value in asked.query:
        if key.startswith("metadata["):
            name = key[len("metadata[") : -1]
            tasks = [each for each in tasks if (each.params.get("metadata") or {}).get(name) == value]
    ids = [each.id for each in tasks]
    start = ids.index(query["after"]) + 1 if query.get("after") in ids else int(query.get("offset", 0))
    limit = int(query.get("limit", 50))
    page = [view(server, each) for each in tasks[start : start + limit]]
    more = start + limit < len(tasks)
    told = {"object": "list", "data": page, "has_more": more, "total": len(tasks)}
    return _json({**told, "limit": limit, "offset": start})


def _retrieve(server: MockServer, task: MockTask, asked: MockRequest) -> Served:
    held = dict(asked.query).get("wait", "")
    if held.isdigit() and not server.hosted and not task.moment(server.clock.now).is_end:
        ends = task.ends_at()
        latest = server.clock.now + float(held)
        server.clock.advance_to(latest if ends is None else min(ends, latest))
    return _json(view(server, task))


def _timeline(server: MockServer, task: MockTask, _: MockRequest) -> Served:
    return _json(task.timeline(server.clock.now))


def _cancel(server: MockServer, task: MockTask, _: MockRequest) -> Served:
    if task.moment(server.clock.now).is_end:
        return _error(409, "conflict", f"Task {task.id} has ended.")
    task.cancelled_at = server.clock.now
    return _json(view(server, task))


def _delete(server: MockServer, task: MockTask, asked: MockRequest) -> Served:
    if not task.moment(server.clock.now).is_end:
        return _cancel(server, task, asked)
    del server.tasks[task.id]
    return _json({"id": task.id, "object": "video.generation.deleted", "deleted": True})


def _events(server: MockServer, task: MockTask, asked: MockRequest) -> Served:
    last = asked.headers.get("last-event-id", "")
    stream = _stream(server, task, int(last) if last.isdigit() else 0)
    return Served(Answer(200, {"content-type": "text/event-stream"}), stream)


def _stream(server: MockServer, task: MockTask, seen: int) -> Iterator[bytes]:
    """An event at every change; time passes until the next one, with comments in long silences."""
    while True:
        body = view(server, task)
        number = int((server.clock.now - task.created_at) * 1000) + 1
        if number > seen or task.moment(server.clock.now).is_end:
            seen = number
            yield b"id: %d\nevent: task\ndata: %s\n\n" % (number, json.dumps(body).encode())
        if task.moment(server.clock.now).is_end:
            return
        change = task.next_change(server.clock.now)
        while change is None or change > server.clock.now:
            silent_until = server.clock.now + _KEEP_ALIVE_SECONDS
            if change is not None and change <= silent_until:
                server.clock.advance_to(change)
                break
            server.clock.advance_to(silent_until)
            yield b": keep-alive\n\n"
            if task.cancelled_at is not None:
                break


def _download(server: MockServer, task: MockTask, asked: MockRequest) -> Served:
    if task.moment(server.clock.now).status != "succeeded":
        return _error(409, "conflict", f"Task {task.id} has no result.")
    frame = dict(asked.query).get("variant") == "last_frame" or asked.path.endswith("/last_frame")
    content = task.script.last_frame if frame else task.script.video
    if content is None:
        return _error(404, "not_found", f"Task {task.id} has no last frame.")
    digest = hashlib.sha256(content).digest()
    headers = {
        "content-type": "image/png" if frame else "video/mp4",
        "etag": f'"{digest.hex()[:16]}"',
        "accept-ranges": "bytes",
    }
    if not server.hosted:
        headers["repr-digest"] = f"sha-256=:{base64.b64encode(digest).decode()}:"
    match = re.fullmatch(r"bytes=(\d+)-", asked.headers.get("range", ""))
    if match is None or asked.headers.get("if-range", headers["etag"]) != headers["etag"]:
        return Served(Answer(200, {**headers, "content-length": str(len(content))}, content))
    start = int(match[1])
    if start >= len(content):
        return Served(Answer(416, {"content-range": f"bytes */{len(content)}"}))
    headers["content-range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
    headers["content-length"] = str(len(content) - start)
    return Served(Answer(206, headers, content[start:]))


def _models(asked: MockRequest) -> Served:
    if asked.path.endswith("/models"):
        return _json([_MODEL])
    wanted = unquote(asked.path.partition("/models/")[2])
    if wanted == _MODEL["id"]:
        return _json(_MODEL)
    return _error(404, "model_not_found", f"There is no model {wanted!r}.")


def _json(body: Any, headers: dict[str, str] | None = None) -> Served:
    content = json.dumps(body, ensure_ascii=False).encode()
    return Served(Answer(200, {"content-type": "application/json", **(headers or {})}, content))


def _error(status: int, code: str, message: str, **more: Any) -> Served:
    body = {"error": {"code": code, "message": message, **more}}
    return Served(Answer(status, {"content-type": "application/json"}, json.dumps(body).encode()))


_ON_TASKS: dict[str, Callable[[MockServer, MockTask, MockRequest], Served]] = {
    "retrieve": _retrieve,
    "timeline": _timeline,
    "cancel": _cancel,
    "delete": _delete,
    "events": _events,
    "download": _download,
}
