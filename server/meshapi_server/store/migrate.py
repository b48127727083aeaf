"""Bring a database's schema up to date: numbered files, each applied once, in order, under a lock."""

import re
import sqlite3
from importlib import resources

from msgspec import Struct

_FILE = re.compile(r"^(\d{4})_(\w+)\.sql$")


class Migration(Struct, frozen=True):
    """One numbered file."""

    number: int
    name: str
    statements: str


class SchemaTooNew(Exception):
    """The database was written by a newer server."""


def migrations(dialect: str) -> list[Migration]:
    """All migrations of a dialect, ascending."""
    found = []
    for entry in resources.files(f"{__package__}.migrations").joinpath(dialect).iterdir():
        match = _FILE.match(entry.name)
        if match:
            found.append(Migration(int(match[1]), match[2], entry.read_text("utf-8")))
    return sorted(found, key=lambda migration: migration.number)


def migrate(connection: sqlite3.Connection, now: int) -> list[int]:
    """Apply what is missing; returns the numbers applied. Safe when two processes start at once."""
    known = migrations("sqlite")
    connection.execute("begin immediate")
    try:
        applied = _apply(connection, known, now)
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
    return applied


def _apply(connection: sqlite3.Connection, known: list[Migration], now: int) -> list[int]:
    connection.execute(
        "create table if not exists schema_migration"
        " (number integer not null primary key, name text not null, applied_at integer not null)"
    )
    done = {number for (number,) in connection.execute("select number from schema_migration")}
    newest = max((migration.number for migration in known), default=0)
    if done and max(done) > newest:
        raise SchemaTooNew(f"the database has schema {max(done)}, this server knows up to {newest}")
    applied = []
    for migration in known:
        if migration.number in done:
            continue
        for statement in _split(migration.statements):
            connection.execute(statement)
        connection.execute(
            "insert into schema_migration (number, name, applied_at) values (?, ?, ?)",
            (migration.number, migration.name, now),
        )
        applied.append(migration.number)
    return applied


def _split(script: str) -> list[str]:
    # executescript() would commit first; complete_statement() knows where one statement ends.
    statements, pending = [], ""
    for line in script.splitlines(keepends=True):
        pending += line
        if line.rstrip().endswith(";") and sqlite3.complete_statement(pending):
            statements.append(pending)
            pending = ""
    left = [line for line in pending.splitlines() if line.strip() and not line.lstrip().startswith("--")]
    if left:
        raise ValueError(f"a migration ends in the middle of a statement: {left[0]!r}")
    return statements
