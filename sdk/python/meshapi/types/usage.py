"""What an owner's keys have used (contract: usage-query, usage-decoding)."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import AliasChoices, BeforeValidator, Field

from .lenient import LenientModel, Mend, decimal_text
from .rows import objects_only


class UsageFigures(LenientModel):
    """Sums over the tasks that were created in a time, in US dollars as decimal strings.

    ``cost_usd`` is spent, ``held_usd`` kept for those in flight; ``unknown_usd`` is what the
    ``unknown_tasks`` may have cost, of which nobody could tell. Tasks that cost nothing whatever happens are
    in none of them.
    """

    tasks: int = 0
    cost_usd: str | None = None
    held_usd: str | None = None
    unknown_usd: str | None = None
    unknown_tasks: int = 0

    _mends: ClassVar[Mapping[str, Mend]] = {
        "cost_usd": decimal_text,
        "held_usd": decimal_text,
        "unknown_usd": decimal_text,
    }


class UsageEntry(UsageFigures):
    """The figures of one group. ``day`` is ISO 8601, in UTC; what is not told apart is None."""

    day: str | None = None
    key_id: str | None = None
    model: str | None = None


class UsageReport(LenientModel):
    """The usage from a day to a day, both included. Iterating gives its entries; ``total`` is their sum."""

    object: str = "usage"
    from_: str | None = Field(
        default=None, validation_alias=AliasChoices("from", "from_"), serialization_alias="from"
    )
    to: str | None = None
    data: Annotated[list[UsageEntry], BeforeValidator(objects_only)] = Field(default_factory=list)
    total: UsageFigures = Field(default_factory=UsageFigures)
    request_id: str | None = None

    def __iter__(self) -> Iterator[UsageEntry]:  # type: ignore[override]  # a model iterates over its fields
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __bool__(self) -> bool:
        return True
