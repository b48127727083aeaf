"""Reading a small JSON body into a type, every fault named."""

import re
from typing import Any, TypeVar

import msgspec

from . import create_request
from .call import Call
from .errors import APIError, validation

Body = TypeVar("Body")
_JSON = re.compile(r"^application/(json|[a-z0-9.+-]+\+json)\s*(;|$)", re.IGNORECASE)


def check_media_type(call: Call) -> None:
    """Raise 415 for a body that says it is no JSON."""
    media_type = call.header(b"content-type")
    if media_type is not None and not _JSON.match(media_type.strip()):
        raise APIError("unsupported_media_type", f"Send application/json, not {media_type[:80]!r}.")


async def read(call: Call, kind: type[Body], *, empty: bytes = b"") -> Body:
    """The body as ``kind``; a body that is not there reads as ``empty``.

    Raises 400 for what is no JSON, 415, and 422 for what is not of that kind.
    """
    check_media_type(call)
    body = await call.body() or empty
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as problem:
        raise validation((create_request.detail(str(problem)),)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise APIError("invalid_request", f"The body is no valid JSON: {problem}") from None


def given(body: Any) -> dict[str, Any]:
    """The fields of a body that are there; null means absent."""
    return {name: value for name, value in msgspec.structs.asdict(body).items() if value is not None}
