"""Whether a task that ends is charged, and how much: as its upstream said, or by how far it came. Pure."""

from msgspec.structs import replace

from .price import dollars, read_nano
from .states import Event, State
from .task import Charged, Outcome, Route

_STOPPED = frozenset({Event.CANCELLED, Event.EXPIRED})


def judged(state: State, event: Event) -> Charged:
    """Whether a task that ends without success is charged, where nobody says.

    Only what no upstream has accepted is certain to be free: what waits, what is rendered here, and what was
    definitely refused (an answer that is lost makes an error that says "unknown" itself). A video that was
    finished is paid for, whatever its caller did then.
    """
    if state in {State.QUEUED, State.RENDERING, State.SENDING}:
        return "no"
    if state is State.UNKNOWN:
        return "unknown" if event in _STOPPED else "no"
    if state is State.FETCHING:
        return "yes" if event in _STOPPED else "unknown"
    return "unknown"


def settled(outcome: Outcome, route: Route | None, state: State, event: Event) -> Outcome:
    """The outcome of a task that ends by ``event`` in ``state``, with what it costs.

    ``cost_usd`` stays None where that is not known: it is never taken for nothing.
    """
    outcome = _judged(outcome, route, state, event)
    error = outcome.error
    cost = _cost(outcome, route, "yes" if error is None else error.charged)
    if cost == outcome.facts.cost_usd:
        return outcome
    return replace(outcome, facts=replace(outcome.facts, cost_usd=cost))


def _judged(outcome: Outcome, route: Route | None, state: State, event: Event) -> Outcome:
    error = outcome.error
    if error is None:
        return outcome
    charged = error.charged or judged(state, event)
    if route is not None and route.free:
        charged = "no"
    return outcome if charged == error.charged else replace(outcome, error=replace(error, charged=charged))


def _cost(outcome: Outcome, route: Route | None, charged: Charged | None) -> str | None:
    if charged == "no" or (route is not None and route.free):
        return "0"
    if charged == "unknown":
        return None
    told = outcome.facts.cost_usd
    if told is not None and (sum_told := read_nano(told)) is not None:
        return dollars(sum_told)
    if route is None or route.tariff is None:
        return None
    return dollars(route.tariff.exact(outcome.facts.total_tokens))
