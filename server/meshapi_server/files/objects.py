"""Results in an object store: S3 and what speaks its protocol, Google Cloud Storage, Azure Blob Storage.

Credentials, region and endpoint come from where each provider's own tools find them (``AWS_*``,
``GOOGLE_*``, ``AZURE_*``, the machine's role). https://developmentseed.org/obstore documents every one.
"""

import asyncio
import contextlib
import ctypes
import os
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog

from .storage import BLOCK, LABEL, StorageFault, is_safe, is_safe_file, media_type, safe

if TYPE_CHECKING:
    from obstore.store import ObjectStore

log = structlog.get_logger("meshapi.files")

SCHEMES = ("s3", "gs", "az")
_CONNECT_SECONDS = 10
_WHOLE_SECONDS = 24 * 3600  # of one answer, which lasts as long as the slowest reader of it
_STALLED_SECONDS = 60.0  # without a byte from the storage
_BREAKS = 5  # in a row, each without a byte, before a download is given up
_PART = 8 * 1024 * 1024
_PARTS_AT_ONCE = 3
_DELETES_AT_ONCE = 1000
_ARENA_MAX = -8  # M_ARENA_MAX of glibc's malloc.h


class ObjectStorage:
    """Implements Storage (storage.py) under the bucket and prefix of a URL."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._store: ObjectStore | None = None

    def open(self) -> None:
        """Connect. Raises StorageFault when the URL or its settings cannot be used."""
        from obstore.store import from_url

        _keep_memory_together()
        options = {"connect_timeout": f"{_CONNECT_SECONDS}s", "timeout": f"{_WHOLE_SECONDS}s"}
        plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
        client_options: Any = {**options, "allow_http": plain}
        retry: Any = {"max_retries": 5, "retry_timeout": timedelta(seconds=60)}
        try:
            self._store = from_url(self._url, client_options=client_options, retry_config=retry)
        except Exception as fault:  # noqa: BLE001 - told as what the operator has to change
            raise StorageFault(f"{_shown(self._url)}: {_first_line(fault)}") from None

    @property
    def _opened(self) -> "ObjectStore":
        if self._store is None:
            raise RuntimeError("the storage is not open")
        return self._store

    async def put(self, task_id: str, name: str, source: Path) -> None:
        """Upload the file, in parts if it is large; it can be seen when all of it is there."""
        import obstore

        key = _key(task_id, name)
        try:
            await obstore.put_async(
                self._opened,
                key,
                source,
                attributes={"Content-Type": media_type(name)},
                chunk_size=_PART,
                max_concurrency=_PARTS_AT_ONCE,
            )
        except Exception as fault:  # noqa: BLE001 - whatever it was, the fetch is tried again
            raise StorageFault(f"{name} of {task_id} cannot be stored: {_first_line(fault)}") from None
        await asyncio.to_thread(source.unlink)

    async def read(self, task_id: str, name: str, first: int, last: int) -> AsyncGenerator[bytes, None]:
        """The bytes of a file (see the port); goes on where the storage broke off."""
        if not (is_safe(task_id) and is_safe_file(name)):
            raise FileNotFoundError(name)
        etag: str | None = None
        breaks = 0
        while first <= last:
            blocks = self._from(_key(task_id, name), first, last, etag)
            try:
                async for tag, block in blocks:
                    etag, breaks = tag, 0  # whatever follows must be of the same file
                    first += len(block)
                    yield block
            except FileNotFoundError:
                raise FileNotFoundError(name) from None
            except Exception as fault:  # noqa: BLE001 - whatever it was, the rest is asked for again
                breaks += 1
                if breaks > _BREAKS:
                    raise StorageFault(f"{name} of {task_id} breaks off: {_first_line(fault)}") from None
                log.warning("download goes on", task=task_id, at=first, fault=_first_line(fault))
            finally:
                await blocks.aclose()

    async def _from(
        self, key: str, first: int, last: int, etag: str | None
    ) -> AsyncGenerator[tuple[str | None, bytes], None]:
        import obstore

        options: Any = {"range": (first, last + 1)}
        if etag is not None:
            options["if_match"] = etag
        async with asyncio.timeout(_STALLED_SECONDS):
            found = await obstore.get_async(self._opened, key, options=options)
        blocks = aiter(found.stream(min_chunk_size=BLOCK))
        while first <= last:
            async with asyncio.timeout(_STALLED_SECONDS):
                block = bytes(await anext(blocks, b""))
            if not block:
                raise StorageFault(f"ends at {first}, before {last}")
            first += len(block)
            yield found.meta["e_tag"], block

    async def size(self, task_id: str, name: str) -> int | None:
        """How many bytes the file has."""
        import obstore

        if not (is_safe(task_id) and is_safe_file(name)):
            return None
        try:
            return (await obstore.head_async(self._opened, _key(task_id, name)))["size"]
        except FileNotFoundError:
            return None

    async def remove(self, task_id: str) -> None:
        """Remove every file of a task."""
        import obstore

        prefix = f"{safe(task_id)}/"
        try:
            keys = [
                each["path"] async for batch in obstore.list(self._opened, prefix=prefix) for each in batch
            ]
            for start in range(0, len(keys), _DELETES_AT_ONCE):
                await obstore.delete_async(self._opened, keys[start : start + _DELETES_AT_ONCE])
        except FileNotFoundError:
            return
        except Exception as fault:  # noqa: BLE001 - swept later
            raise StorageFault(f"the files of {task_id} stay: {_first_line(fault)}") from None

    async def tasks(self, before: int) -> AsyncIterator[Sequence[str]]:
        """The ids of tasks with nothing but old files (see the port)."""
        import obstore

        newest: dict[str, float] = {}  # of the batch at hand; a store lists its keys in their order
        async for batch in obstore.list(self._opened):
            for each in batch:
                task_id, mark, _ = each["path"].partition("/")
                if mark and is_safe(task_id):
                    changed = each["last_modified"].timestamp() * 1000
                    newest[task_id] = max(newest.get(task_id, 0.0), changed)
            last = next(reversed(newest), None)
            yield [task_id for task_id, at in newest.items() if at < before and task_id != last]
            newest = {} if last is None else {last: newest[last]}
        yield [task_id for task_id, at in newest.items() if at < before]

    async def weigh(self, task_ids: Sequence[str]) -> int:
        """How many bytes the files of these tasks have together."""
        import obstore

        return sum(
            [
                each["size"]
                for task_id in task_ids
                async for batch in obstore.list(self._opened, prefix=f"{safe(task_id)}/")
                for each in batch
            ]
        )

    async def tidy(self, before: int) -> int:
        """Nothing: parts of uploads that broke off are removed by a rule of the bucket."""
        return 0

    async def link(self, task_id: str, name: str, seconds: int) -> str | None:
        """A signed URL of the storage itself."""
        import obstore

        store: Any = self._opened
        return await obstore.sign_async(store, "GET", _key(task_id, name), timedelta(seconds=seconds))

    async def label(self, fresh: str | None) -> str | None:
        """The label in the bucket (see the port)."""
        import obstore

        try:
            found = await obstore.get_async(self._opened, LABEL)
            return bytes(await found.bytes_async()).decode("ascii", "replace")
        except FileNotFoundError:
            if fresh is not None:
                await obstore.put_async(self._opened, LABEL, fresh.encode())
            return fresh


def _keep_memory_together() -> None:
    """Let all threads share two of glibc's arenas.

    The blocks of many downloads, taken by the threads of the storage and freed by this one, leave holes in
    an arena for each thread, which are never given back: 12 downloads of 200 MB at once grew by 90 MB and on,
    with two arenas by 23 MB and no more.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library has no such thing
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 2)


def _key(task_id: str, name: str) -> str:
    if not is_safe_file(name):
        raise ValueError(f"not a file name of ours: {name!r}")
    return f"{safe(task_id)}/{name}"


def _first_line(fault: BaseException) -> str:
    """What went wrong, without the pages that follow it."""
    return (str(fault).splitlines() or [type(fault).__name__])[0][:300]


def _shown(url: str) -> str:
    """The URL without a password and without a query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
