"""The schema that is written down is the one that all migrations make."""

import re
import sqlite3
from importlib import resources
from pathlib import Path
from typing import Any

from meshapi_server.store.sqlite_migrate import migrate
from meshapi_server.store.writer import connect

from ..samples import NOW
from .conftest import PostgresServer

SCHEMA = resources.files("meshapi_server.store").joinpath("schema")
_PRAGMAS = ("table_xinfo", "foreign_key_list", "index_list")


def sqlite_catalogue(connection: sqlite3.Connection) -> dict[str, Any]:
    """Everything a SQLite file knows of its tables, whatever the order or the words they were made with."""
    found: dict[str, Any] = {}
    tables = connection.execute("select name, wr from pragma_table_list where type = 'table'").fetchall()
    for table, without_rowid in tables:
        if table in {"schema_migration", "sqlite_schema", "sqlite_temp_schema"}:
            continue
        (text,) = connection.execute("select sql from sqlite_master where name = ?", (table,)).fetchone()
        found[table] = [without_rowid, sorted(re.findall(r"check \(.*\)", text))]
        for pragma in _PRAGMAS:
            rows = connection.execute(f"pragma {pragma}({table})").fetchall()
            found[table].append(sorted(str(row[1:]) for row in rows))
    indexes = connection.execute(
        "select name, sql from sqlite_master where type = 'index' and sql is not null"
    )
    return found | {name: " ".join(text.split()) for name, text in indexes}


def test_sqlite_as_written_down_is_what_all_migrations_make(tmp_path: Path) -> None:
    migrated, written = connect(tmp_path / "migrated.db"), connect(tmp_path / "written.db")
    migrate(migrated, NOW)
    written.executescript(SCHEMA.joinpath("sqlite.sql").read_text("utf-8"))
    assert sqlite_catalogue(written) == sqlite_catalogue(migrated)
    assert len(sqlite_catalogue(written)) > 15
    migrated.close()
    written.close()


POSTGRES_CATALOGUE = """
select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attcollation::regcollation,
       pg_get_expr(d.adbin, d.adrelid)
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname <> 'schema_migration'
order by 1, 2;
select conrelid::regclass::text, contype, pg_get_constraintdef(oid) from pg_constraint
where connamespace = 'public'::regnamespace and conrelid <> coalesce(to_regclass('schema_migration'), 0)
order by 1, 2, 3;
select indexdef from pg_indexes where schemaname = 'public' and tablename <> 'schema_migration' order by 1;
select relname, reloptions from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
and relname <> 'schema_migration' order by 1;
"""


def test_postgres_as_written_down_is_what_all_migrations_make(postgres: PostgresServer) -> None:
    migrated, written = postgres.fresh_database(), postgres.create_database()
    names = [url.rpartition("/")[2] for url in (migrated, written)]
    postgres.execute(SCHEMA.joinpath("postgres.sql").read_text("utf-8"), names[1])
    catalogues = [postgres.execute(POSTGRES_CATALOGUE, name).splitlines() for name in names]
    assert catalogues[0] == catalogues[1]
    assert len(catalogues[0]) > 100
    for url in (migrated, written):
        postgres.drop_database(url)
