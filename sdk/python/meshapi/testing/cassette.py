"""Record the traffic with a real server once, replay it offline ever after."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack, cast

from meshapi._exchange import Request

from . import tape
from .clock import FakeClock
from .recording import (
    UNFINISHED,
    AsyncRecordingTransport,
    AsyncReplayingTransport,
    RecordingTransport,
    ReplayingTransport,
)
from .server import API_KEY, ClientSettings

if TYPE_CHECKING:
    from meshapi import AsyncMeshAPI, MeshAPI
    from meshapi._async.connect import HttpClient as AsyncHttpClient
    from meshapi._async.transport import AsyncWiring
    from meshapi._sync.connect import HttpClient
    from meshapi._sync.transport import Wiring

Mode = Literal["once", "record", "replay"]
VARIABLE = "MESHAPI_CASSETTE"


class CassetteError(Exception):
    """A request that was not recorded, or a file that is no cassette."""


class Cassette:
    """A file of recorded traffic. Use it as a context manager::

        with Cassette("lake.json") as cassette, cassette.client() as client:
            done = client.videos.generate_and_wait(model="mesh/diorama-1", content=[...])

    ``mode`` is ``once`` (replay the file if it is there, else record it), ``record`` or ``replay``; the
    environment variable MESHAPI_CASSETTE overrides it, so that a build can insist on ``replay``. To record,
    the client needs a server and a key, as any other; the key is never written. What is recorded is written
    when the block ends without an error; videos go into files beside it. A replay needs no network, no key
    and no time: waits move ``clock``. A request that differs from the recorded ones raises
    ``CassetteError``.
    """

    def __init__(self, path: str | os.PathLike[str], *, mode: Mode = "once") -> None:
        self.path = Path(path)
        chosen = os.environ.get(VARIABLE) or mode
        if chosen not in ("once", "record", "replay"):
            raise CassetteError(f"the mode of a cassette is once, record or replay, got {chosen!r}")
        if chosen == "replay" and not self.path.exists():
            raise CassetteError(f"there is no cassette {self.path}; record it with mode='record'")
        self.replays = chosen == "replay" or (chosen == "once" and self.path.exists())
        self._tape = self._loaded() if self.replays else tape.Tape(time.time())
        self._scrubber = tape.Scrubber()
        self._http_client: Any = None
        self.clock = FakeClock(self._tape.recorded_at)

    @property
    def left(self) -> int:
        """How many recorded requests have not been replayed."""
        return len(self._tape.interactions) if self.replays else 0

    def client(self, *, http_client: HttpClient | None = None, **settings: Unpack[ClientSettings]) -> MeshAPI:
        """A client that records (over ``http_client``, where one is given) or replays."""
        from meshapi import MeshAPI

        self._http_client = http_client
        client = MeshAPI(**{**self._settings(settings), "http_client": self})
        client._owns_connections = http_client is None
        return client

    def async_client(
        self, *, http_client: AsyncHttpClient | None = None, **settings: Unpack[ClientSettings]
    ) -> AsyncMeshAPI:
        """An asynchronous client that records (over ``http_client``, where one is given) or replays."""
        from meshapi import AsyncMeshAPI

        self._http_client = http_client
        client = AsyncMeshAPI(**{**self._settings(settings), "http_client": self})
        client._owns_connections = http_client is None
        return client

    def wire(self, headers: dict[str, str]) -> Wiring:
        """What a ``MeshAPI(http_client=cassette)`` is built on."""
        from meshapi._sync.connect import connect
        from meshapi._sync.transport import Wiring

        self._scrubber.learn(headers)
        if self.replays:
            return Wiring(ReplayingTransport(self), self.clock.ambient(), self.clock.pause)
        real = connect(self._http_client, headers)
        return Wiring(RecordingTransport(self, real.transport), real.ambient, real.pause)

    def wire_async(self, headers: dict[str, str]) -> AsyncWiring:
        """What an ``AsyncMeshAPI(http_client=cassette)`` is built on."""
        from meshapi._async.connect import connect
        from meshapi._async.transport import AsyncWiring

        self._scrubber.learn(headers)
        if self.replays:
            return AsyncWiring(AsyncReplayingTransport(self), self.clock.ambient(), self.clock.pause_async)
        real = connect(self._http_client, headers)
        return AsyncWiring(AsyncRecordingTransport(self, real.transport), real.ambient, real.pause)

    def save(self) -> None:
        """Write what was recorded; nothing happens to a cassette that replays."""
        if self.replays:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(f".{self.path.name}.part")
        fresh.write_text(tape.written(self._tape, self._scrubber, self.path), "utf-8")
        fresh.replace(self.path)

    def replayed(self, request: Request) -> tape.Interaction:
        """What came of the request when it was recorded; the clock moves as long as it took then."""
        asked = self._scrubber.asked(request)
        found = self._tape.take(asked)
        if found is None:
            raise CassetteError(self._unheard_of(asked))
        self.clock.advance(found.seconds)
        return found

    def reserve(self, request: Request) -> int:
        """A place on the tape, in the order in which requests are sent."""
        asked = self._scrubber.asked(request)
        self._tape.interactions.append(tape.Interaction(asked, UNFINISHED))
        return len(self._tape.interactions) - 1

    def recorded(self, place: int, interaction: tape.Interaction) -> None:
        """Put down what came of a request."""
        self._tape.interactions[place] = interaction

    def asked(self, place: int) -> dict[str, Any]:
        """The request of a place."""
        return self._tape.interactions[place].asked

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.save()

    def _settings(self, settings: ClientSettings) -> dict[str, Any]:
        given = cast("dict[str, Any]", dict(settings))
        if self.replays and not given.get("api_key") and not given.get("token"):
            given["api_key"] = API_KEY
        return given

    def _loaded(self) -> tape.Tape:
        try:
            return tape.read(self.path)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CassetteError(f"the cassette {self.path} cannot be read: {error}") from error

    def _unheard_of(self, asked: dict[str, Any]) -> str:
        told = f"{asked['method']} {asked['url']}"
        same = [each for each in self._tape.interactions if each.asked["url"] == asked["url"]]
        if same:
            return (
                f"{self.path}: {told} was recorded with another body or range: {same[0].asked}, now {asked};"
                " record it anew"
            )
        following = self._tape.interactions[0].asked if self._tape.interactions else None
        expected = f"next on it is {following['method']} {following['url']}" if following else "it is over"
        return f"{self.path} has no (further) {told}; {expected}. Record it anew"
