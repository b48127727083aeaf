"""A key as it is stored, and what an operator may say of it. Values and rules only."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, TypedDict

from msgspec import Struct

from .dollars import MOST
from .windows import Limit

NAME_LENGTH = 100
OWNER_LENGTH = 100
MOST_MODELS = 100
_LARGEST = 1_000_000_000
_PATTERN = re.compile(r"[A-Za-z0-9._:/*-]{1,200}")
_OWNER = re.compile(r"[\x21-\x7e]{1,100}")

KeyStatus = Literal["active", "suspended", "revoked", "expired"]


class Key(Struct, frozen=True, kw_only=True):
    """A key as stored. Times are milliseconds; a limit that is None does not exist.

    ``admin`` keys manage keys and see no tasks. ``models`` are patterns of model ids in which ``*`` stands
    for anything. ``concurrency`` is how many of its tasks may be at an upstream at once, while the others
    wait in the queue; ``tasks_in_flight`` how many may be there at all, ended ones excepted. Budgets are
    nano-dollars, of a day (UTC) and for ever.
    """

    id: str
    owner: str
    name: str
    last_four: str
    created_at: int
    admin: bool = False
    models: tuple[str, ...] | None = None
    requests_per_minute: int | None = None
    requests_per_day: int | None = None
    tasks_in_flight: int | None = None
    concurrency: int | None = None
    budget_per_day: int | None = None
    budget_total: int | None = None
    expires_at: int | None = None
    suspended_at: int | None = None
    revoked_at: int | None = None
    rotated_at: int | None = None

    @property
    def lane(self) -> str:
        """The pool in which its tasks are counted; empty when it has no limit that counts them."""
        return "" if self.concurrency is None and self.tasks_in_flight is None else lane_of(self.id)

    @property
    def request_limits(self) -> tuple[Limit, ...]:
        """How often it may call."""
        if self.requests_per_minute is None and self.requests_per_day is None:
            return ()
        wanted = (("minute", self.requests_per_minute, 60), ("day", self.requests_per_day, 24 * 3600))
        return tuple(
            Limit(name=name, count=count, seconds=seconds)
            for name, count, seconds in wanted
            if count is not None
        )

    def status(self, now: int) -> KeyStatus:
        """What it is good for now; of several reasons against it the one that lasts longest."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return "active" if self.suspended_at is None else "suspended"

    def allows(self, model: str) -> bool:
        """Whether it may use this model."""
        return self.models is None or any(_compiled(pattern).fullmatch(model) for pattern in self.models)


class Terms(TypedDict, total=False):
    """What a key may do, as the fields of :class:`Key`; None is no limit."""

    models: tuple[str, ...] | None
    requests_per_minute: int | None
    requests_per_day: int | None
    tasks_in_flight: int | None
    concurrency: int | None
    budget_per_day: int | None
    budget_total: int | None
    expires_at: int | None


class Changes(Terms, total=False):
    """What can be changed of a key."""

    name: str


class TermInvalid(ValueError):
    """A term that cannot be; ``field`` names it and ``reason`` says what would be accepted."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def lane_of(key_id: str) -> str:
    """The pool of a key."""
    return f"key:{key_id}"


def check_terms(terms: Mapping[str, Any], now: int) -> None:
    """Raise TermInvalid for the first term that cannot be."""
    if "name" in terms and not 1 <= len(terms["name"]) <= NAME_LENGTH:
        raise TermInvalid("name", f"1 to {NAME_LENGTH} characters, got {len(terms['name'])}")
    for field in ("requests_per_minute", "requests_per_day", "tasks_in_flight", "concurrency"):
        _check_range(field, terms.get(field), 1, _LARGEST)
    for field in ("budget_per_day", "budget_total"):
        _check_range(field, terms.get(field), 0, MOST)
    expires_at = terms.get("expires_at")
    if expires_at is not None and expires_at <= now:
        raise TermInvalid("expires_at", "a time in the future; to end a key now, revoke it")
    _check_models(terms.get("models"))


def check_owner(owner: str) -> None:
    """Raise TermInvalid for what cannot be an owner."""
    if not _OWNER.fullmatch(owner):
        raise TermInvalid("owner", f"1 to {OWNER_LENGTH} visible ASCII characters, got {owner[:120]!r}")


def _check_range(field: str, value: int | None, least: int, most: int) -> None:
    if value is not None and not least <= value <= most:
        raise TermInvalid(field, f"from {least} to {most}, got {value}")


def _check_models(models: tuple[str, ...] | None) -> None:
    if models is None:
        return
    if not 1 <= len(models) <= MOST_MODELS:
        raise TermInvalid("models", f"1 to {MOST_MODELS} patterns, got {len(models)}")
    for pattern in models:
        if not _PATTERN.fullmatch(pattern):
            raise TermInvalid(
                "models", f"{pattern[:80]!r} is no pattern of model ids, such as byteplus/* or mesh/diorama-1"
            )


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    """The pattern as an expression. Each part is looked for once: tried again at every later place, the
    stars of one pattern could hold up the whole server over the name of one model."""
    first, *parts = (re.escape(part) for part in pattern.split("*"))
    if not parts:
        return re.compile(first)
    *middle, last = parts
    found = "".join(f"(?>.*?{part})" for part in middle if part)
    return re.compile(f"{first}{found}.*{last}")
