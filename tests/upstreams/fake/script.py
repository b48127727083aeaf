"""How the fake behaves: what comes next, what may happen by chance, how long things take."""

import random
from collections import deque
from collections.abc import Iterable

from msgspec import Struct

# Before anything was accepted.
BEFORE = (
    "rate_limited",
    "overloaded",
    "invalid",
    "moderated_input",
    "unauthorised",
    "no_funds",
    "model_gone",
    "error_before",  # 500
    "reset_before",
)
# The order is accepted and logged, and then the answer goes wrong.
AFTER = ("bad_gateway_after", "error_after", "hang_after", "reset_after", "cut_after", "garbled_after")
# The answer is right, and something happens later.
LATER = ("lost", "strange_status", "moderated_output", "fails", "cut_download", "no_result")
PLOTS = frozenset({"normal", *BEFORE, *AFTER, *LATER})
# What a look (poll, list, look-up, cancel) may meet.
STUMBLES = frozenset({"normal", "rate_limited", "overloaded", "bad_gateway", "reset", "hang", "garbled"})


class Callbacks(Struct, kw_only=True, forbid_unknown_fields=True):
    """Chances (0..1) that an announcement is told twice, or held back for up to ``held_for`` seconds."""

    twice: float = 0.0
    held: float = 0.0
    held_for: float = 10.0


class Control(Struct, kw_only=True, forbid_unknown_fields=True):
    """Changes, as ``POST /control`` takes them; what is left out stays. Seconds are of the fake's clock,
    except ``latency``, which is real and may be a range."""

    next: list[str] | None = None  # plots of the coming submissions
    next_looks: list[str] | None = None  # stumbles of the coming looks
    chances: dict[str, float] | None = None  # plot -> probability
    look_chances: dict[str, float] | None = None  # stumble -> probability
    seed: int | None = None
    latency: tuple[float, float] | None = None
    queued: float | None = None
    running: float | None = None
    retry_after: float | None = None
    idempotent: bool | None = None
    callbacks: Callbacks | None = None
    speed: float | None = None
    advance: float | None = None
    step: float | None = None  # every look moves the clock on by so much


class Script:
    """The behaviour in force. Chances are drawn from one seeded generator."""

    def __init__(self) -> None:
        self.chances: dict[str, float] = {}
        self.look_chances: dict[str, float] = {}
        self.latency = (0.0, 0.0)
        self.queued = 0.0
        self.running = 0.0
        self.retry_after = 1.0
        self.idempotent = False
        self.step = 0.0
        self.callbacks = Callbacks()
        self.random = random.Random(1)
        self._next: deque[str] = deque()
        self._next_looks: deque[str] = deque()

    def next(self, *plots: str) -> None:
        """The coming submissions go like this, one after the other."""
        self._next.extend(_known(plots, PLOTS))

    def next_looks(self, *stumbles: str) -> None:
        """The coming looks go like this."""
        self._next_looks.extend(_known(stumbles, STUMBLES))

    def apply(self, control: Control) -> None:
        """Take the changes over. Raises ValueError for a word that is not known."""
        self.next(*(control.next or ()))
        self.next_looks(*(control.next_looks or ()))
        if control.chances is not None:
            _known(control.chances, PLOTS)
            self.chances = control.chances
        if control.look_chances is not None:
            _known(control.look_chances, STUMBLES)
            self.look_chances = control.look_chances
        if control.seed is not None:
            self.random = random.Random(control.seed)
        for name in ("latency", "queued", "running", "retry_after", "idempotent", "callbacks", "step"):
            value = getattr(control, name)
            if value is not None:
                setattr(self, name, value)

    def plot(self) -> str:
        """How the submission that has just come goes."""
        return self._next.popleft() if self._next else self._drawn(self.chances)

    def stumble(self) -> str:
        """What the look that has just come meets."""
        return self._next_looks.popleft() if self._next_looks else self._drawn(self.look_chances)

    def delay(self) -> float:
        """Real seconds before an answer."""
        shortest, longest = self.latency
        return shortest if longest <= shortest else self.random.uniform(shortest, longest)

    def _drawn(self, chances: dict[str, float]) -> str:
        if not chances:
            return "normal"
        drawn = self.random.random()
        for name, chance in chances.items():
            drawn -= chance
            if drawn < 0:
                return name
        return "normal"


def _known(words: Iterable[str], known: frozenset[str]) -> Iterable[str]:
    wrong = [word for word in words if word not in known]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is none of {', '.join(sorted(known))}")
    return words
