"""Keys and what they may do, for whoever holds an admin key. It sees no tasks."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog

from meshapi_server.accounts.key import Key, TermInvalid
from meshapi_server.accounts.keys import GRACE, KeyEnded, Keys

from . import query
from .call import Answer, Call, Reply
from .errors import APIError, invalid
from .json_body import read
from .key_bodies import KeyBody, KeyCreate, KeyList, KeyRotate, KeyUpdate, changes, key_body
from .operation import Operation, Response, path
from .operation import query as query_parameter

log = structlog.get_logger("meshapi.api")

_encode = msgspec.json.Encoder().encode

COLLECTION = "/v1/admin/keys"
ITEM = COLLECTION + "/{key_id}"
_KEY_ID = path("key_id", "The key's id.", type="string")


class AdminKeys:
    """Handlers of the keys."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def create(self, call: Call) -> Answer:
        """Make a key; the answer shows its secret, this once."""
        wanted = await _terms(call, KeyCreate)
        name, owner, admin = wanted.pop("name"), wanted.pop("owner"), bool(wanted.pop("admin"))
        try:
            secret, key = await self._keys.create(name, owner, admin=admin, **wanted)
        except TermInvalid as problem:
            raise _invalid(problem) from None
        _note(call, "created", key)
        return self._shown(key, secret)

    async def list(self, call: Call) -> Answer:
        """A page of the keys, oldest first."""
        owner, after, limit = query.keys(call.query)
        found = await self._keys.page(owner=owner, after=after, limit=limit + 1)
        now = self._keys.now()
        page = [key_body(key, now) for key in found[:limit]]
        return Reply(_encode(KeyList(data=page, has_more=len(found) > limit)))

    async def get(self, call: Call) -> Answer:
        """One key."""
        return self._told(call, await self._keys.get(_id(call)))

    async def update(self, call: Call) -> Answer:
        """Change what is said of a key; it holds from the next request on."""
        wanted = await _terms(call, KeyUpdate)
        try:
            key = await self._keys.update(_id(call), **wanted)
        except TermInvalid as problem:
            raise _invalid(problem) from None
        except KeyEnded as problem:
            raise APIError("conflict", str(problem)) from None
        _note(call, "changed", key)
        return self._told(call, key)

    async def rotate(self, call: Call) -> Answer:
        """A new secret; the one before opens, too, for a while."""
        grace = (await read(call, KeyRotate, empty=b"{}")).grace_seconds
        try:
            made = await self._keys.rotate(_id(call), GRACE if grace is None else grace)
        except KeyEnded as problem:
            raise APIError("conflict", str(problem)) from None
        if made is None:
            raise _missing(call)
        _note(call, "rotated", made[1])
        return self._shown(made[1], made[0])

    async def suspend(self, call: Call) -> Answer:
        """Turn a key away until it is resumed."""
        return await self._move(call, "suspended", self._keys.suspend)

    async def resume(self, call: Call) -> Answer:
        """Let a suspended key in again."""
        return await self._move(call, "resumed", self._keys.resume)

    async def revoke(self, call: Call) -> Answer:
        """End a key for good."""
        return await self._move(call, "revoked", self._keys.revoke)

    async def _move(self, call: Call, what: str, move: Callable[[str], Awaitable[Key | None]]) -> Reply:
        try:
            key = await move(_id(call))
        except KeyEnded as problem:
            raise APIError("conflict", str(problem)) from None
        _note(call, what, key)
        return self._told(call, key)

    def _told(self, call: Call, key: Key | None) -> Reply:
        if key is None:
            raise _missing(call)
        return Reply(_encode(key_body(key, self._keys.now())))

    def _shown(self, key: Key, secret: str) -> Reply:
        body = _encode(key_body(key, self._keys.now(), secret))
        return Reply(body, headers={"cache-control": "no-store"})

    def operations(self) -> tuple[Operation, ...]:
        """What this room serves."""
        return (
            Operation(
                method="POST",
                path=COLLECTION,
                name="createKey",
                summary="Make a key",
                tag="admin",
                handler=self.create,
                admin=True,
                request=KeyCreate,
                responses={200: Response(description="The key, with its secret.", body=KeyBody)},
                errors=(403, 413, 415, 422, 429),
            ),
            Operation(
                method="GET",
                path=COLLECTION,
                name="listKeys",
                summary="List keys, oldest first",
                tag="admin",
                handler=self.list,
                admin=True,
                parameters=_LIST_PARAMETERS,
                responses={200: Response(description="A page of keys.", body=KeyList)},
                errors=(403, 422, 429),
            ),
            Operation(
                method="GET",
                path=ITEM,
                name="getKey",
                summary="Get a key",
                tag="admin",
                handler=self.get,
                admin=True,
                parameters=(_KEY_ID,),
                responses={200: Response(description="The key.", body=KeyBody)},
                errors=(403, 404, 429),
            ),
            Operation(
                method="PATCH",
                path=ITEM,
                name="updateKey",
                summary="Change what a key may do",
                tag="admin",
                handler=self.update,
                admin=True,
                parameters=(_KEY_ID,),
                request=KeyUpdate,
                responses={200: Response(description="The key as it is now.", body=KeyBody)},
                errors=(403, 404, 409, 413, 415, 422, 429),
            ),
            Operation(
                method="POST",
                path=ITEM + "/rotate",
                name="rotateKey",
                summary="Give a key a new secret; the old one opens, too, for a while",
                tag="admin",
                handler=self.rotate,
                admin=True,
                parameters=(_KEY_ID,),
                request=KeyRotate,
                request_required=False,
                responses={200: Response(description="The key, with its secret.", body=KeyBody)},
                errors=(403, 404, 409, 413, 415, 422, 429),
            ),
            *(
                Operation(
                    method="POST",
                    path=f"{ITEM}/{verb}",
                    name=f"{verb}Key",
                    summary=summary,
                    tag="admin",
                    handler=handler,
                    admin=True,
                    parameters=(_KEY_ID,),
                    responses={200: Response(description="The key as it is now.", body=KeyBody)},
                    errors=(403, 404, 409, 429),
                )
                for verb, summary, handler in (
                    ("suspend", "Turn a key away until it is resumed; its tasks go on", self.suspend),
                    ("resume", "Let a suspended key in again", self.resume),
                    ("revoke", "End a key for good", self.revoke),
                )
            ),
        )


_LIST_PARAMETERS = (
    query_parameter("owner", "Only the keys of this owner.", type="string"),
    query_parameter("limit", "Keys on a page.", type="integer", minimum=1, maximum=200, default=50),
    query_parameter("after", "Continue behind this key id.", type="string"),
)


async def _terms(call: Call, kind: type[KeyCreate] | type[KeyUpdate]) -> Any:
    body = await read(call, kind)
    try:
        return changes(body)
    except TermInvalid as problem:
        raise _invalid(problem) from None


def _note(call: Call, what: str, key: Key | None) -> None:
    """Write down who did what to which key: never a secret."""
    if key is not None and call.key is not None:
        log.info(f"key {what}", key=key.id, by=call.key.id, request_id=call.request_id)


def _invalid(problem: TermInvalid) -> APIError:
    return invalid("value_error", ("body", problem.field), problem.reason)


def _id(call: Call) -> str:
    return call.path_values["key_id"]


def _missing(call: Call) -> APIError:
    return APIError("not_found", f"There is no key {_id(call)[:80]!r}.")
