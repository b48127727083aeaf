"""Which numbered changes of the schema a database lacks: each is applied once, in order, under a lock."""

import re
from collections.abc import Collection
from importlib import resources

from msgspec import Struct

from .statements import Dialect

_FILE = re.compile(r"^(\d{4})_(\w+)\.sql$")

CREATE_HISTORY = (
    "create table if not exists schema_migration"
    " (number {integer} not null primary key, name text not null, applied_at {integer} not null)"
)


class Migration(Struct, frozen=True):
    """One numbered file."""

    number: int
    name: str
    statements: str


class SchemaTooNew(Exception):
    """The database was written by a newer server."""


def migrations(dialect: Dialect) -> list[Migration]:
    """All migrations of a dialect, ascending."""
    found = []
    for entry in resources.files(f"{__package__}.migrations").joinpath(dialect).iterdir():
        match = _FILE.match(entry.name)
        if match:
            found.append(Migration(int(match[1]), match[2], entry.read_text("utf-8")))
    return sorted(found, key=lambda migration: migration.number)


def missing(dialect: Dialect, applied: Collection[int]) -> list[Migration]:
    """What has to be applied to a database that has ``applied``, in order. Raises SchemaTooNew."""
    known = migrations(dialect)
    newest = max((migration.number for migration in known), default=0)
    if applied and max(applied) > newest:
        raise SchemaTooNew(f"the database has schema {max(applied)}, this server knows up to {newest}")
    return [migration for migration in known if migration.number not in applied]
