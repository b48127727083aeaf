"""An operation of the API as a value: routes and ``/openapi.json`` are both made from it."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from msgspec import Struct

from .call import Answer, Call

Handler = Callable[[Call], Awaitable[Answer]]


class Parameter(Struct, frozen=True, kw_only=True):
    """A query, path or header parameter. ``schema`` is JSON Schema."""

    name: str
    place: Literal["query", "path", "header"]
    schema: dict[str, Any]
    description: str
    explode: bool = False


class Response(Struct, frozen=True, kw_only=True):
    """A successful answer. ``body`` is a msgspec type, a tuple of alternatives, or None.

    ``texts`` are media types in which the same answer can be had as text.
    """

    description: str
    body: Any = None
    media_type: str = "application/json"
    headers: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


class Operation(Struct, frozen=True, kw_only=True):
    """One method on one path. ``errors``: statuses of the envelope it may answer besides 400, 401, 500.

    ``login``: it needs a key; ``admin``: one that manages keys, where others need one that has tasks.
    """

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    name: str
    summary: str
    tag: str
    handler: Handler
    responses: dict[int, Response]
    errors: tuple[int, ...] = ()
    login: bool = True
    admin: bool = False
    parameters: tuple[Parameter, ...] = ()
    request: Any = None
    request_required: bool = True
    description: str = ""


def query(name: str, description: str, *, explode: bool = False, **schema: Any) -> Parameter:
    """A query parameter with its JSON Schema as keywords."""
    return Parameter(name=name, place="query", schema=schema, description=description, explode=explode)


def header(name: str, description: str, **schema: Any) -> Parameter:
    """A request header with its JSON Schema as keywords."""
    return Parameter(name=name, place="header", schema=schema, description=description)


def path(name: str, description: str, **schema: Any) -> Parameter:
    """A path parameter with its JSON Schema as keywords."""
    return Parameter(name=name, place="path", schema=schema, description=description)
