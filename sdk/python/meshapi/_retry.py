"""When a request is sent again (contract: retry-schedule). A decision without I/O.

The rules: reads are repeated on anything transient; a create only when that cannot make a second paid task;
Retry-After is honoured in full; jitter only lengthens; two bounds, attempts and total time.
"""

from collections.abc import Generator
from dataclasses import dataclass, replace

from . import _retry_after
from ._error_decoding import error_from, failure_error, retry_after_in_body
from ._exchange import Ambient, Answer, Exchange, Failure, Outcome, Request, Send, Sleep
from ._service import Service
from .errors import ConfigurationError, MeshAPIError

JITTER = 0.25
_NOT_IMPLEMENTED = 501


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long a request is repeated: at most ``max_retries`` times within ``total_seconds``.

    The wait before repetition n is ``initial_seconds * 2**n`` up to ``max_seconds``, never less than the
    server's Retry-After, plus up to a quarter of itself by chance.
    """

    max_retries: int = 2
    initial_seconds: float = 0.5
    max_seconds: float = 8.0
    total_seconds: float = 300.0

    def __post_init__(self) -> None:
        for name in ("max_retries", "initial_seconds", "max_seconds", "total_seconds"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
                raise ConfigurationError(f"{name} must be a number of at least 0, got {value!r}")

    def wait(self, repetition: int, wished: float | None, random: float) -> float:
        """Seconds to wait before the given repetition (from 0)."""
        base = min(self.initial_seconds * 2.0 ** min(repetition, 60), self.max_seconds)
        return max(base, wished or 0.0) + JITTER * base * random


def exchange(
    request: Request, policy: RetryPolicy, service: Service, ambient: Ambient, probe: Request | None = None
) -> Exchange:
    """Send until there is a success or no repetition is allowed; then raise the last error.

    ``probe`` is the request that shows whether the server honours idempotency keys; it is only sent after a
    create whose fate is unknown.
    """
    deadline = ambient.monotonic() + policy.total_seconds
    may_exist = False
    repetition = 0
    attempt = request
    while True:
        outcome = yield Send(attempt)
        if isinstance(outcome, Answer):
            service.observe(outcome)
            if outcome.status < 300:
                return outcome
        may_exist = may_exist or (request.repeat == "with_key" and not is_harmless(outcome))
        wait = policy.wait(repetition, wished_seconds(outcome, ambient.unix()), ambient.random())
        spent = repetition >= policy.max_retries or ambient.monotonic() + wait >= deadline
        if spent or not (yield from _may_repeat(request, outcome, service, probe)):
            raise _final_error(request, outcome, ambient, may_exist)
        yield Sleep(wait)
        repetition += 1
        attempt = _within(request, deadline - ambient.monotonic())


def is_transient(outcome: Outcome) -> bool:
    """Whether the same request may meet something else later."""
    if isinstance(outcome, Answer):
        status = outcome.status
        return status in {408, 429} or (status >= 500 and status != _NOT_IMPLEMENTED)
    return isinstance(outcome, Failure)


def is_harmless(outcome: Outcome) -> bool:
    """Whether the server certainly did nothing: it saw nothing, or it refused."""
    if isinstance(outcome, Failure):
        return outcome.kind == "not_sent"
    return isinstance(outcome, Answer) and (outcome.status == 429 or not is_transient(outcome))


def wished_seconds(outcome: Outcome, now: float) -> float | None:
    """The server's Retry-After, from header or body, whichever is later."""
    if not isinstance(outcome, Answer):
        return None
    wishes = (
        _retry_after.seconds(outcome.headers.get("retry-after"), now),
        retry_after_in_body(outcome.body),
    )
    return max((wish for wish in wishes if wish is not None), default=None)


def _may_repeat(
    request: Request, outcome: Outcome, service: Service, probe: Request | None
) -> Generator[Send, Outcome, bool]:
    if not is_transient(outcome):
        return False
    if request.repeat == "always" or is_harmless(outcome):
        return True
    if request.repeat == "never" or request.idempotency_key is None:
        return False
    if not service.honours_keys and probe is not None:
        shown = yield Send(probe)
        if isinstance(shown, Answer):
            service.observe(shown)
    return service.honours_keys


def _within(request: Request, remaining: float) -> Request:
    """The request with a timeout that does not outlast the total."""
    timeout = request.timeout
    if isinstance(timeout, int | float) and timeout > remaining:
        return replace(request, timeout=max(remaining, 0.001))
    return request


def _final_error(request: Request, outcome: Outcome, ambient: Ambient, may_exist: bool) -> MeshAPIError:
    if isinstance(outcome, Answer):
        error: MeshAPIError = error_from(outcome, ambient.unix())
    elif isinstance(outcome, Failure):
        error = failure_error(outcome, request)
    else:
        raise TypeError(f"a send ends in an answer or a failure, got {outcome!r}")
    error.task_may_exist = may_exist
    error.idempotency_key = request.idempotency_key
    return error
