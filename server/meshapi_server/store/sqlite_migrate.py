"""Brings a SQLite file's schema up to date."""

import sqlite3

from .migrate import CREATE_HISTORY, missing


def migrate(connection: sqlite3.Connection, now: int) -> list[int]:
    """Apply what is missing; returns the numbers applied. Safe when two processes start at once."""
    connection.execute("begin immediate")
    try:
        applied = _apply(connection, now)
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
    return applied


def applied(connection: sqlite3.Connection) -> set[int]:
    """The numbers of the migrations that the file has."""
    known = "select 1 from sqlite_master where name = 'schema_migration'"
    if connection.execute(known).fetchone() is None:
        return set()
    return {number for (number,) in connection.execute("select number from schema_migration")}


def _apply(connection: sqlite3.Connection, now: int) -> list[int]:
    connection.execute(CREATE_HISTORY.format(integer="integer"))
    wanted = missing("sqlite", applied(connection))
    for migration in wanted:
        for statement in _split(migration.statements):
            connection.execute(statement)
        connection.execute(
            "insert into schema_migration (number, name, applied_at) values (?, ?, ?)",
            (migration.number, migration.name, now),
        )
    return [migration.number for migration in wanted]


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
