"""From the bytes of a create call to a Spec. Pure."""

import hashlib
import re
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from meshapi_server.tasks.errors import Detail
from meshapi_server.tasks.spec import Spec

from . import content_items
from .errors import APIError, validation
from .wire import CreateBody

_decoder = msgspec.json.Decoder(CreateBody)
_names = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode_sorted = msgspec.json.Encoder(order="deterministic")
_KNOWN = frozenset(field.name for field in fields(CreateBody))
_CARRIED = tuple(name for name in _KNOWN if name not in {"model", "content", "max_cost_usd", "dry_run"})
_MOST_MONEY = Decimal(1_000_000)
_PLACE = re.compile(r"^(?P<message>.*?)(?: - at (?P<key>`key` in )?`\$(?P<path>.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>[A-Za-z0-9_]+)|\[(?P<index>\d+|\.\.\.)\]")
_MISSING = re.compile(r"required field `(\w+)`")
# Far above any request that means something, far below what would fill the memory once it is decoded.
_MOST_VALUES = 100_000
_MOST_UNKNOWN = 100
_LONGEST_NAME = 200


class CreateRequest(Struct, frozen=True, kw_only=True):
    """A create call: what is asked, the fields that the wire does not have, and what it may cost."""

    spec: Spec
    unknown: tuple[str, ...]
    max_cost_usd: Decimal | None
    dry_run: bool


def read(body: bytes) -> CreateRequest:
    """The normalised request.

    Raises APIError 400 ``invalid_request`` for what is no JSON, 422 ``validation_error`` for what is not
    the schema's, RequestInvalid for what contradicts itself.
    """
    if body.count(b":") > _MOST_VALUES:
        message = f"more than {_MOST_VALUES} names and values; no request needs as many"
        raise validation((Detail("value_error", ("body",), message),))
    try:
        parsed = _decoder.decode(body)
        unknown = [name for name in _names.decode(body) if name not in _KNOWN]
    except msgspec.ValidationError as problem:
        raise validation((detail(str(problem)),)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise APIError("invalid_request", f"The body is no valid JSON: {problem}") from None
    if len(unknown) > _MOST_UNKNOWN or any(len(name) > _LONGEST_NAME for name in unknown):
        message = f"at most {_MOST_UNKNOWN} unknown fields of {_LONGEST_NAME} characters are ignored"
        raise validation((Detail("value_error", ("body",), message),))
    if parsed.duration is not None and parsed.frames is not None:
        message = "duration and frames exclude each other; send one of them"
        raise validation((Detail("value_error", ("body", "frames"), message),))
    if parsed.duration == 0:
        message = "a duration is at least 1 second, or -1 to let the model decide"
        raise validation((Detail("value_error", ("body", "duration"), message),))
    if parsed.callback_url is not None:
        _check_callback(parsed.callback_url)
    carried = {name: getattr(parsed, name) for name in _CARRIED}
    return CreateRequest(
        spec=Spec(model=parsed.model, content=content_items.normalise(parsed.content), **carried),
        unknown=tuple(unknown),
        max_cost_usd=None if parsed.max_cost_usd is None else _money(parsed.max_cost_usd),
        dry_run=parsed.dry_run is True,
    )


def fingerprint(body: bytes) -> bytes:
    """sha256 of what a body says that :func:`read` accepts: spaces, key order and nulls make no difference.

    Fields that the wire does not have count as they are spelt; nobody has looked inside them.
    """
    unknown = [(name, bytes(raw)) for name, raw in _names.decode(body).items() if name not in _KNOWN]
    return hashlib.sha256(_encode_sorted.encode((_decoder.decode(body), sorted(unknown)))).digest()


def _money(value: str | float) -> Decimal:
    """A sum in dollars; a JSON number is read as it is spelt, in its shortest form."""
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        amount = Decimal(-1)
    if not (amount.is_finite() and 0 <= amount <= _MOST_MONEY):
        message = f'{str(value)[:40]!r} is no sum of dollars; send a decimal such as "0.50"'
        raise validation((Detail("value_error", ("body", "max_cost_usd"), message),))
    return amount


def _check_callback(url: str) -> None:
    problem = content_items.http_url_problem(url)
    if problem:
        raise validation((Detail("value_error", ("body", "callback_url"), problem),))


def detail(text: str) -> Detail:
    """msgspec's sentence, e.g. "Expected `int`, got `str` - at `$.content[0].type`", as a detail."""
    match = _PLACE.match(text)
    message, path = (match["message"], match["path"] or "") if match else (text, "")
    if match and match["key"]:
        message += " as a key"
    loc: list[Any] = ["body"]
    for step in _STEP.finditer(path):
        index = step["index"]
        loc.append(step["name"] or (int(index) if index.isdigit() else index))
    missing = _MISSING.search(message)
    if missing:
        return Detail("missing", (*loc, missing[1]), f"the field {missing[1]!r} is required")
    return Detail("type_error" if message.startswith("Expected") else "value_error", tuple(loc), message)
