"""How long after the upstream is done the caller knows: by SSE, long poll or callback, on either database.

    python bench/engine news

``byteplus`` announces the end of a task by a callback, ``openai-videos`` is looked at (every second here, so
that half a second of it is waiting for the next look). "Stored" is when the result lay in our files and the
task was saved as succeeded. The limit is what a bare client needs for the same requests, one after the other:
look, look for the result, download it; and for a callback, the same POST on a connection of its own.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from callback_receiver import Receiver, receiving
from databases import Place
from meters import quantile, table
from processes import cores
from servers import Server, serving, write_cards
from upstream import UPSTREAMS, Fake, fake_upstream

_PATH = "/v1/video/generations"
_RUNNING = 1.5  # s that the upstream works on a task
_TERMINAL = ("succeeded", "failed")


@dataclass(frozen=True)
class Ending:
    """When a task's end was known where, in Unix seconds."""

    task: str
    stored: float
    event: float
    answer: float
    callback: float


async def measure(place: Place, folder: Path, tasks: int, pause: float) -> list[Sequence[str]]:
    """Rows of figures for an empty place: ``tasks`` for each upstream, one every ``pause`` seconds."""
    core, other = cores()
    cards = write_cards(folder / "cards", *UPSTREAMS[:1], usual_seconds=1.0)
    rows: list[Sequence[str]] = []
    with fake_upstream(folder, other) as fake:
        fake.control(running=_RUNNING)
        variables = {"MESHAPI_CARDS": str(cards), "MESHAPI_PRIVATE_SOURCES": "true"}
        with serving(place, folder, core, fake.variables() | variables) as server:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session,
                receiving() as receiver,
            ):
                for upstream in UPSTREAMS:
                    client = _Client(session, server, upstream, receiver)
                    endings = await _staggered(client, tasks, pause)
                    rows += _rows(place, upstream, endings, _ends(fake))
                    floor = [await _by_hand(session, fake, upstream) for _ in range(tasks)]
                    rows.append(_row(f"{place.name}, {upstream}: by hand", floor))
                told = [await receiver.by_hand(session) for _ in range(tasks)]
                rows.append(_row(f"{place.name}: callback by hand", told))
    return rows


def show(tasks: int, rows: Sequence[Sequence[str]]) -> None:
    """Print the rows of :func:`measure`."""
    table(f"From the upstream's end, {tasks} tasks each", ("", "p50 ms", "p99 ms"), rows)


class _Client:
    """Creates tasks of one upstream and waits for them in every way at once."""

    def __init__(
        self, session: aiohttp.ClientSession, server: Server, upstream: str, receiver: Receiver
    ) -> None:
        self._session = session
        self._receiver = receiver
        self._base = f"http://127.0.0.1:{server.port}{_PATH}"
        self._headers = {"authorization": f"Bearer {server.key}"}
        self._upstream = upstream

    async def follow(self) -> Ending:
        model = {"openai-videos": "openai-videos/sora-2", "byteplus": "byteplus/seedance-1-0-pro"}
        body = {
            "model": model[self._upstream],
            "content": [{"type": "text", "text": "a lake"}],
            "callback_url": self._receiver.url,
        }
        async with self._session.post(self._base, json=body, headers=self._headers) as answer:
            assert answer.status == 200, await answer.text()
            task: str = (await answer.json())["id"]
        event, answered, called = await asyncio.gather(
            self._event(task), self._wait(task), self._receiver.moment(task)
        )
        return Ending(task, await self._stored(task), event, answered, called)

    async def _event(self, task: str) -> float:
        async with self._session.get(f"{self._base}/{task}/events", headers=self._headers) as stream:
            async for line in stream.content:
                if line.startswith(b"data: ") and json.loads(line[6:])["status"] in _TERMINAL:
                    return time.time()
        raise AssertionError(f"the stream of {task} ended early")

    async def _wait(self, task: str) -> float:
        async with self._session.get(f"{self._base}/{task}?wait=60", headers=self._headers) as answer:
            body = await answer.json()
            assert body["status"] == "succeeded", body
            return time.time()

    async def _stored(self, task: str) -> float:
        async with self._session.get(f"{self._base}/{task}/timeline", headers=self._headers) as answer:
            lines: Sequence[Mapping[str, float | str]] = (await answer.json())["data"]
        return max(float(line["ended_at"]) for line in lines if line["kind"] == "fetch")


async def _staggered(client: _Client, tasks: int, pause: float) -> list[Ending]:
    async def later(seconds: float) -> Ending:
        await asyncio.sleep(seconds)
        return await client.follow()

    work: list[Awaitable[Ending]] = [later(number * pause) for number in range(tasks)]
    return list(await asyncio.gather(*work))


def _ends(fake: Fake) -> Mapping[str, float]:
    """When the fake was done with each task, by the task's id."""
    entries = [json.loads(line) for line in fake.log.read_text().splitlines()]
    return {
        entry["token"].partition(".")[0]: entry["at"] + _RUNNING for entry in entries if entry.get("token")
    }


def _rows(
    place: Place, upstream: str, endings: Sequence[Ending], ends: Mapping[str, float]
) -> list[Sequence[str]]:
    whole = f"{place.name}, {upstream}"
    return [
        _row(f"{whole}: stored", [each.stored - ends[each.task] for each in endings]),
        _row(f"{whole}: event", [each.event - ends[each.task] for each in endings]),
        _row(f"{whole}: long poll", [each.answer - ends[each.task] for each in endings]),
        _row(f"{whole}: callback", [each.callback - ends[each.task] for each in endings]),
        _row(f"{whole}: event after stored", [each.event - each.stored for each in endings]),
        _row(f"{whole}: callback after stored", [each.callback - each.stored for each in endings]),
    ]


def _row(name: str, seconds: Sequence[float]) -> Sequence[str]:
    return name, f"{quantile(seconds, 0.5) * 1000:.0f}", f"{quantile(seconds, 0.99) * 1000:.0f}"


async def _by_hand(session: aiohttp.ClientSession, fake: Fake, upstream: str) -> float:
    """The requests of a finished task by a bare client, in seconds."""
    base = fake.base_url(upstream)
    last = [
        entry
        for line in fake.log.read_text().splitlines()
        if (entry := json.loads(line))["dialect"] == upstream
    ][-1]
    ark = upstream == "byteplus"
    place = (
        f"{base}/contents/generations/tasks/{last['reference']}"
        if ark
        else f"{base}/videos/{last['reference']}"
    )
    began = time.perf_counter()
    for _ in range(2):
        async with session.get(place) as answer:
            task = await answer.json()
    url = task["content"]["video_url"] if ark else f"{place}/content"
    async with session.get(url) as answer:
        await answer.read()
    return time.perf_counter() - began
