"""The values that decisions and drivers exchange. No I/O, no HTTP library.

A decision is a generator: it yields a command, is sent the outcome, and returns or raises in the end. A
driver (``_async/driver.py``, and its generated twin) performs the commands.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

# Names and values of a query, in their order.
QueryPairs: TypeAlias = list[tuple[str, str]]
# What sending a request a second time would mean.
Repeat = Literal["always", "with_key", "never"]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. ``timeout`` is seconds (or the HTTP library's own value, handed through)."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout: Any = None
    repeat: Repeat = "always"
    idempotency_key: str | None = None
    # False for links to files, which are signed and may live on another host: the API key must not go there.
    authenticated: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. ``headers`` are looked up by lower-case names. ``body`` is empty for an open stream."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer. ``not_sent``: the server saw nothing; the other two: it may have seen the request."""

    kind: Literal["not_sent", "maybe_sent", "timed_out"]
    cause: Exception


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request and read its answer whole. Outcome: ``Answer`` or ``Failure``."""

    request: Request


@dataclass(frozen=True, slots=True)
class Sleep:
    """Let time pass. No outcome."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Open:
    """Send a request and keep a 2xx body as an open stream. Outcome: ``Answer`` or ``Failure``."""

    request: Request


@dataclass(frozen=True, slots=True)
class Read:
    """Read from the open stream. Outcome: bytes, empty at its end, or ``Failure``."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the open stream. No outcome."""


@dataclass(frozen=True, slots=True)
class Deliver:
    """Hand a value to the caller. No outcome."""

    value: Any


Outcome: TypeAlias = Answer | Failure | bytes | None
Exchange: TypeAlias = Generator[Send | Sleep, Outcome, Answer]
Streaming: TypeAlias = Generator[Send | Sleep | Open | Read | Close | Deliver, Outcome, None]


@dataclass(frozen=True, slots=True)
class Ambient:
    """Time and chance, passed in so that decisions can be tested without either."""

    monotonic: Callable[[], float]
    unix: Callable[[], float]
    random: Callable[[], float]
