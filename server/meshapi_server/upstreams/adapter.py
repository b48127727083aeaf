"""What one upstream is: data and a few pure functions. The runner (``runner.py``) does all the I/O.

Every operation is a *talk*: a generator that yields requests, is sent the responses, and returns the outcome.

    def submit(self, job):
        response = yield post("/videos", {"prompt": job.spec.prompt})
        if not response.ok:
            raise ERRORS.refusal(response)
        return Accepted(reference=response.object()["id"])

A talk has no clock, no environment, no socket and no state between calls: the same job gives the same bytes.
Adapters import this module, ``http``, ``refusals`` and nothing else of the server.
"""

import abc
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import ClassVar, Literal, TypeVar

from msgspec import Struct

from .contract import (
    Abilities,
    Accepted,
    ContentItem,
    Deferred,
    Facts,
    Job,
    Limits,
    Look,
    Progress,
    Rate,
    Rejected,
    Spec,
    TaskError,
    Unserved,
)
from .credentials import Credentials
from .http import HttpRequest, HttpResponse, Unreadable

__all__ = [
    "Abilities",
    "Accepted",
    "Adapter",
    "Announcement",
    "ContentItem",
    "Credentials",
    "Deferred",
    "Facts",
    "Forged",
    "Heard",
    "HttpRequest",
    "HttpResponse",
    "Job",
    "Limits",
    "Login",
    "Look",
    "Progress",
    "Protocol",
    "Rate",
    "Registration",
    "Rejected",
    "Result",
    "Spec",
    "Supports",
    "Talk",
    "TaskError",
    "Unreadable",
    "Unserved",
]

T = TypeVar("T")
Talk = Generator[HttpRequest, HttpResponse, T]


class Result(Struct, frozen=True, kw_only=True):
    """Where a finished video is to be downloaded from, or its bytes where an answer holds them."""

    video: HttpRequest | bytes
    facts: Facts = Facts()
    last_frame: HttpRequest | bytes | None = None


class Supports(Struct, frozen=True, kw_only=True):
    """What else the documentation's table tells of an upstream; the shared suite proves it.

    ``data_uris``: a first frame may be a data URI. ``results_last``: for how many hours a result can be
    fetched at least, where the upstream says so. ``stops``: the stages in which an upstream that cancels
    still does so.
    """

    progress: bool = False
    last_frame: bool = False
    data_uris: bool = False
    signed_callbacks: bool = False
    results_last: float | None = None
    stops: frozenset[Literal["queued", "running"]] = frozenset({"queued", "running"})


class Announcement(Struct, frozen=True, kw_only=True):
    """A callback as it came in. Header names are lower case; ``received_at`` is ms since the epoch."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    received_at: int


class Heard(Struct, frozen=True, kw_only=True):
    """What a callback says: look at ``reference`` now. It never decides anything by itself.

    ``verified`` is False where the protocol has no signature. The rest is the answer that it wants.
    """

    verified: bool
    reference: str | None = None
    status: int = 200
    body: bytes = b""
    media_type: str = "application/json"


class Forged(Exception):
    """The callback's signature is missing, wrong or too old."""


class Login(Struct, frozen=True, kw_only=True):
    """A token got for the credentials; the runner keeps it until shortly before ``expires_at`` (ms)."""

    token: str
    expires_at: int

    def __repr__(self) -> str:
        return f"Login(expires_at={self.expires_at})"


class Adapter(abc.ABC):
    """One upstream's protocol. Only ``submit``, ``poll`` and ``result`` have to be written.

    ``base_url`` may be replaced by the operator. ``hosts`` are further hosts, with their subdomains, that may
    be sent the credentials. ``largest_answer`` (bytes) bounds every answer that is not a download.
    """

    name: str
    base_url: str
    limits: Limits
    abilities: Abilities = Abilities()
    supports: Supports = Supports()
    hosts: tuple[str, ...] = ()
    largest_answer: int = 8 * 1024 * 1024

    def authorise(self, request: HttpRequest, credentials: Credentials, now: int) -> Mapping[str, str]:
        """The headers that prove who asks. ``now`` is ms since the epoch, for schemes that sign it."""
        return {"authorization": f"Bearer {credentials['key']}"} if "key" in credentials else {}

    def login(self, credentials: Credentials, now: int) -> Talk[Login] | None:
        """How to get a short-lived token, which ``authorise`` then finds as ``credentials["token"]``."""
        return None

    def serves(self, model: str) -> bool:
        """Whether this adapter, as it is set up, can be asked for a model of its upstream."""
        return True

    def inlines(self, job: Job) -> frozenset[int]:
        """The indexes of content items that ``submit`` needs as data URIs, because URLs are not taken."""
        return frozenset()

    @abc.abstractmethod
    def submit(self, job: Job) -> Talk[Accepted]:
        """Ask for the video. At most one request of it is not ``harmless``.

        Raises Rejected, Unserved or Deferred; anything else means that it is unknown whether it was accepted.
        """

    @abc.abstractmethod
    def poll(self, looks: Sequence[Look]) -> Talk[Sequence[Progress | Exception]]:
        """Where each stands, in their order; never more than ``abilities.looks_at_once``."""

    @abc.abstractmethod
    def result(self, look: Look) -> Talk[Result]:
        """Where a task that succeeded has its video: asked anew, since such URLs expire. Raises Rejected."""

    def find(self, job: Job) -> Talk[Accepted | None]:
        """Look a submission up by ``job.token``; for ``abilities.finds``."""
        raise NotImplementedError(f"{self.name} cannot look a submission up")

    def cancel(self, look: Look) -> Talk[bool]:
        """Stop a task; False when it cannot be stopped any more. For ``abilities.cancels``."""
        raise NotImplementedError(f"{self.name} cannot cancel")

    def hear(self, announcement: Announcement, credentials: Credentials) -> Talk[Heard]:
        """Verify and read a callback; for ``abilities.calls_back``. Raises Forged or Unreadable."""
        raise NotImplementedError(f"{self.name} sends no callbacks")


class Protocol(Struct, frozen=True, kw_only=True):
    """One of several protocols of an upstream: the ``options`` that select it, what of ``needs`` it takes."""

    name: str
    options: Mapping[str, str]
    needs: tuple[tuple[str, ...], ...]


class Registration(Struct, frozen=True, kw_only=True):
    """How an upstream is turned on; third parties publish one under the entry point ``meshapi.upstreams``.

    ``credentials`` and ``options`` map a name to the environment variables that may hold it; the first that
    is set wins. Options are not secret and are handed to ``build``. ``needs`` lists the alternatives of which
    one has to be complete; by default all credentials. Without a ``base_url`` the operator's own turns the
    upstream on.
    """

    name: str
    build: Callable[[Mapping[str, str]], Adapter]
    credentials: Mapping[str, tuple[str, ...]] = {}
    options: Mapping[str, tuple[str, ...]] = {}
    needs: tuple[tuple[str, ...], ...] = ()
    base_url: str = ""
    protocols: tuple[Protocol, ...] = ()

    BASE_URL: ClassVar[str] = "base_url"  # the option under which ``build`` finds the base URL in force
