"""A transaction as a generator: it yields what is to be read or written, and is sent the rows.

The rules of claims and saves are written once, in plans; each dialect has a driver that performs them
(``sqlite_plans.py``, ``postgres_plans.py``). A plan may be run again from its beginning when its
transaction was undone, so it keeps nothing outside of itself.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

from msgspec import Struct

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Read(Struct, frozen=True):
    """A named statement whose rows are sent back. ``words`` fill its ``{placeholders}``; none is a caller's.

    ``lock`` asks for the row locks that the statement names, in a transaction that means to write.
    """

    name: str
    values: Mapping[str, Any] = NOTHING
    words: Mapping[str, str] = NOTHING
    lock: bool = False


class Write(Struct, frozen=True):
    """A named statement, executed for each of ``rows`` in their order."""

    name: str
    rows: Sequence[Mapping[str, Any]]


class Relax(Struct, frozen=True):
    """The commit need not wait for the disk: should the machine fail, what it says is found out again."""


Row: TypeAlias = Sequence[Any]
Result = TypeVar("Result")
Plan: TypeAlias = Generator[Read | Write | Relax, list[Row], Result]


def read(name: str, /, **values: Any) -> Plan[list[Row]]:
    """The plan of a single read."""
    rows = yield Read(name, values)
    return rows


def write(name: str, /, *rows: Mapping[str, Any]) -> Plan[None]:
    """The plan of a single write."""
    yield Write(name, rows)


def write_all(writes: Iterable[Write]) -> Plan[None]:
    """The plan of several writes, in their order."""
    for each in writes:  # noqa: UP028 - what is delegated to must take what is sent; a list does not
        yield each
