"""A base for responses that decodes whatever a server sends (contract: task-decoding).

The fast path is Pydantic's own, strict and straight from bytes. Only when that refuses are the members it
complains about mended or dropped, one by one, so that an odd member never costs the others.
"""

import datetime
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)

Mend = Callable[[Any], Any]
# A member that cannot be mended is dropped; a mended one may still be refused, hence more than one pass.
_PASSES = 3


class LenientModel(BaseModel):
    """Keeps unknown members (``model_extra``), reads wrongly typed ones as absent."""

    model_config = ConfigDict(extra="allow", strict=True, protected_namespaces=(), defer_build=True)

    _mends: ClassVar[Mapping[str, Mend]] = {}

    @model_validator(mode="wrap")
    @classmethod
    def _leniently(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as error:
            if not isinstance(data, dict):
                raise
            refused = error
        remaining = dict(data)
        for turn in range(_PASSES):
            for name in {str(fault["loc"][0]) for fault in refused.errors() if fault["loc"]}:
                value = remaining.pop(name, None)
                mended = cls._mended(name, value) if turn == 0 else None
                if mended is not None:
                    remaining[name] = mended
            try:
                return handler(remaining)
            except ValidationError as error:
                refused = error
        raise refused

    @classmethod
    def _mended(cls, name: str, value: Any) -> Any:
        mend: Mend = cls._mends.get(name) or whole_number
        return mend(value)


def whole_number(value: Any) -> int | None:
    """5 for 5.0; None for all else."""
    return int(value) if isinstance(value, float) and value.is_integer() else None


def unix_seconds(value: Any) -> int | None:
    """Whole Unix seconds from a number or an ISO 8601 text (without an offset: UTC); None for all else."""
    if isinstance(value, bool):
        return None
    try:
        if isinstance(value, int | float):
            return int(value)
        moment = datetime.datetime.fromisoformat(value)
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return int(moment.timestamp())


def unix_moment(value: Any) -> float | None:
    """Unix seconds with their fraction from an ISO 8601 text (without an offset: UTC); None for all else."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()


def decimal_text(value: Any) -> str | None:
    """A decimal string for a number sent as one; None for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number = Decimal(repr(value))
    return format(number, "f") if number.is_finite() else None


def text(value: Any) -> str | None:
    """The digits of a whole number; None for all else."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
