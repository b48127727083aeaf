"""The bodies of the admin API's keys as types; ``/openapi.json`` is generated from them."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from meshapi_server.accounts.dollars import dollars, nano_dollars
from meshapi_server.accounts.key import Key, KeyStatus, TermInvalid
from meshapi_server.accounts.keys import GRACE, MOST_GRACE

Text = Annotated[str, Meta(min_length=1, max_length=100)]
Models = Annotated[
    list[Annotated[str, Meta(max_length=200)]],
    Meta(min_length=1, max_length=100, description="Patterns of model ids; * stands for anything."),
]
Most = Annotated[int, Meta(ge=1, le=1_000_000_000)]
USD = Annotated[
    str,
    Meta(pattern=r"^[0-9]{1,10}(\.[0-9]{1,9})?$", description="A decimal string, such as 2.50."),
]
Moment = Annotated[int, Meta(ge=0, le=10**11, description="Unix seconds.")]
_BUDGETS = {"budget_per_day_usd": "budget_per_day", "budget_total_usd": "budget_total"}


class KeyCreate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to make. A limit that is absent or null does not exist; a key without ``owner`` gets its own."""

    name: Text
    owner: Annotated[str, Meta(pattern="^[\\x21-\\x7e]{1,100}$")] | None = None
    admin: bool | None = None
    models: Models | None = None
    requests_per_minute: Most | None = None
    requests_per_day: Most | None = None
    tasks_in_flight: Most | None = None
    concurrency: Most | None = None
    budget_per_day_usd: USD | None = None
    budget_total_usd: USD | None = None
    expires_at: Moment | None = None


class KeyUpdate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change. What is absent stays; null takes a limit away."""

    name: Text | UnsetType = UNSET
    models: Models | UnsetType | None = UNSET
    requests_per_minute: Most | UnsetType | None = UNSET
    requests_per_day: Most | UnsetType | None = UNSET
    tasks_in_flight: Most | UnsetType | None = UNSET
    concurrency: Most | UnsetType | None = UNSET
    budget_per_day_usd: USD | UnsetType | None = UNSET
    budget_total_usd: USD | UnsetType | None = UNSET
    expires_at: Moment | UnsetType | None = UNSET


class KeyRotate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a secret is exchanged: the old one opens, too, for so many seconds; 0 ends it at once."""

    grace_seconds: Annotated[int, Meta(ge=0, le=MOST_GRACE)] | None = GRACE


class KeyBody(Struct, frozen=True, kw_only=True):
    """A key. A limit that is null does not exist; ``key``, the secret, is shown when it is made, only."""

    id: str
    name: str
    owner: str
    admin: bool
    status: KeyStatus
    last_four: str
    models: list[str] | None
    requests_per_minute: int | None
    requests_per_day: int | None
    tasks_in_flight: Annotated[int | None, Meta(description="Tasks that have not ended.")]
    concurrency: Annotated[int | None, Meta(description="Tasks at upstreams at once; others wait.")]
    budget_per_day_usd: Annotated[str | None, Meta(description="Of a day, UTC.")]
    budget_total_usd: str | None
    created_at: int
    expires_at: int | None
    rotated_at: int | None
    suspended_at: int | None
    revoked_at: int | None
    key: str | UnsetType = UNSET
    object: Literal["key"] = "key"


class KeyList(Struct, frozen=True, kw_only=True):
    """Keys, oldest first. The id of the last is what to send as ``after`` to go on."""

    data: list[KeyBody]
    has_more: bool
    object: Literal["list"] = "list"


def key_body(key: Key, now: int, secret: str | None = None) -> KeyBody:
    """The body of a key at ``now`` (ms), with its secret if that is to be shown."""
    return KeyBody(
        id=key.id,
        name=key.name,
        owner=key.owner,
        admin=key.admin,
        status=key.status(now),
        last_four=key.last_four,
        models=None if key.models is None else list(key.models),
        requests_per_minute=key.requests_per_minute,
        requests_per_day=key.requests_per_day,
        tasks_in_flight=key.tasks_in_flight,
        concurrency=key.concurrency,
        budget_per_day_usd=None if key.budget_per_day is None else dollars(key.budget_per_day),
        budget_total_usd=None if key.budget_total is None else dollars(key.budget_total),
        created_at=key.created_at // 1000,
        expires_at=_seconds(key.expires_at),
        rotated_at=_seconds(key.rotated_at),
        suspended_at=_seconds(key.suspended_at),
        revoked_at=_seconds(key.revoked_at),
        key=UNSET if secret is None else secret,
    )


def changes(body: KeyCreate | KeyUpdate) -> dict[str, Any]:
    """The fields of a body that are there, as fields of a key. Raises TermInvalid."""
    found = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not UNSET}
    if found.get("expires_at") is not None:
        found["expires_at"] *= 1000
    if found.get("models") is not None:
        found["models"] = tuple(found["models"])
    for name, field in _BUDGETS.items():
        if name in found:
            found[field] = _nano(name, found.pop(name))
    return found


def _nano(field: str, text: str | None) -> int | None:
    try:
        return None if text is None else nano_dollars(text)
    except ValueError as problem:
        raise TermInvalid(field, str(problem)) from None


def _seconds(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else milliseconds // 1000
