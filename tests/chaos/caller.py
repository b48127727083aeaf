"""A caller's HTTP: any replica will do, and whatever is not an answer is asked again."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from .witness import Witness

GENERATIONS = "/v1/video/generations"
_PATIENCE = 150.0  # s until a call counts as never answered
_LONGEST_PAUSE = 1.5  # s between two tries
_AGAIN = frozenset({429, 500, 502, 503, 504})
_FAULTS = (aiohttp.ClientError, OSError, TimeoutError, asyncio.TimeoutError, json.JSONDecodeError)


class NeverAnswered(Exception):
    """A call got no answer however often it was repeated."""


@dataclass(frozen=True)
class Answer:
    """An answer that says something. ``began`` is when the request that got it was sent (loop time)."""

    status: int
    body: Any
    began: float


@dataclass(frozen=True)
class Event:
    """A task as an event stream told it, and its version."""

    task: Mapping[str, Any]
    version: int


class Caller:
    """Calls a set of replicas with one key. Belongs to one event loop."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        bases: Sequence[str],
        secret: str,
        witness: Witness,
        chance: random.Random,
    ) -> None:
        self._session = session
        self._bases = bases
        self._headers = {"authorization": f"Bearer {secret}"}
        self._witness = witness
        self._chance = chance

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        idempotency_key: str | None = None,
        seconds: float = 8.0,
        base: str | None = None,
    ) -> Answer:
        """Ask until there is an answer, at another replica each time unless ``base`` is given.

        Raises NeverAnswered.
        """
        headers = dict(self._headers)
        if idempotency_key is not None:
            headers["idempotency-key"] = idempotency_key
        time = asyncio.get_running_loop().time
        deadline, last, pause = time() + _PATIENCE, "nothing", 0.1
        while time() < deadline:
            began = time()
            try:
                async with self._session.request(
                    method,
                    (base or self._chance.choice(self._bases)) + path,
                    json=body,
                    headers=headers,
                    timeout=aiohttp.ClientTimeout(total=seconds),
                ) as response:
                    content = await response.read()
                    if response.status not in _AGAIN:
                        return Answer(response.status, json.loads(content), began)
                    last = f"{response.status} {content[:300]!r}"
            except _FAULTS as fault:
                last = repr(fault)
            self._witness.answers["asked again"] += 1
            await asyncio.sleep(self._chance.uniform(0.2, 1) * pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        raise NeverAnswered(f"{method} {path} was not answered within {_PATIENCE:.0f} s; at last: {last}")

    async def download(self, path: str) -> bytes | None:
        """The bytes of a result, or None when this try did not bring all of them."""
        try:
            async with self._session.get(
                self._chance.choice(self._bases) + path,
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=15),
            ) as response:
                return await response.read() if response.status == 200 else None
        except _FAULTS:
            return None

    async def watch(self, task_id: str, seen: int, base: str | None = None) -> AsyncIterator[Event]:
        """One event stream, until it ends or breaks. ``seen`` is the last version that is known."""
        headers = self._headers | ({"last-event-id": str(seen)} if seen else {})
        try:
            async with self._session.get(
                (base or self._chance.choice(self._bases)) + f"{GENERATIONS}/{task_id}/events",
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=4, sock_read=20),
            ) as response:
                if response.status != 200:
                    return
                async for event in _events(response.content):
                    yield event
        except _FAULTS:
            return


async def _events(stream: aiohttp.StreamReader) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    async for line in stream:
        name, _, value = line.decode().rstrip("\r\n").partition(": ")
        if name:
            fields[name] = value
        elif "data" in fields:
            yield Event(json.loads(fields["data"]), int(fields["id"]))
            fields = {}
        else:
            fields = {}
