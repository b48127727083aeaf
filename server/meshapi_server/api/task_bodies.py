"""Tasks as the bytes of an answer. Whoever polls asks for the same ones again and again: they are kept."""

import hashlib

import msgspec
from msgspec import Struct

from meshapi_server.tasks.task import Task

from .view import TaskView

_encode = msgspec.json.Encoder().encode
_MOST_KEPT = 4096  # bodies of a kilobyte or so


class TaskBytes(Struct, frozen=True):
    """The encoded body of a task, and its digest as an entity tag (RFC 9110 section 8.8.3)."""

    body: bytes
    etag: str


class TaskBodies:
    """Encodes tasks; the bytes of one that goes on are kept until it changes."""

    def __init__(self, view: TaskView) -> None:
        self._view = view
        self._kept: dict[tuple[str, int, int | None, bool], TaskBytes] = {}

    def encode(self, task: Task, queue_position: int | None, *, with_request_id: bool) -> TaskBytes:
        """The body of a task (see TaskView.task)."""
        if task.ended:  # its links are signed anew from hour to hour, and its files are not kept for ever
            return self._encode(task, queue_position, with_request_id)
        state = (task.id, task.version, queue_position, with_request_id)
        found = self._kept.get(state)
        if found is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            found = self._kept[state] = self._encode(task, queue_position, with_request_id)
        return found

    def _encode(self, task: Task, queue_position: int | None, with_request_id: bool) -> TaskBytes:
        body = _encode(self._view.task(task, queue_position=queue_position, with_request_id=with_request_id))
        return TaskBytes(body, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"')
