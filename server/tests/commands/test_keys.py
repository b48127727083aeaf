"""``meshapi keys`` beside a running server: what it changes holds at once."""

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from ..serving import GENERATIONS, Caller, ServerProcess, error, keys


def create(server: ServerProcess, *options: str) -> dict[str, Any]:
    made = keys(server.data, "create", "--json", *options)
    assert made.returncode == 0, made.stderr
    assert made.stderr == ""
    found: dict[str, Any] = json.loads(made.stdout)
    return found


def test_a_key_made_while_the_server_runs_works_at_once(server: ServerProcess) -> None:
    made = create(server, "--name", "ci")
    assert {"key", "id", "owner", "created_at", "revoked_at", "concurrency"} <= set(made)
    assert re.fullmatch("rsk_[0-9A-HJKMNP-TV-Z]{26}", made["key"])
    assert (made["name"], made["last_four"], made["revoked_at"]) == ("ci", made["key"][-4:], None)
    assert server.caller(made["key"]).get(GENERATIONS).status_code == 200


def test_a_revoked_key_is_401_at_once_and_other_keys_are_not(server: ServerProcess, caller: Caller) -> None:
    made = create(server, "--name", "leaked")
    holder = server.caller(made["key"])
    assert holder.get(GENERATIONS).status_code == 200
    revoked = keys(server.data, "revoke", made["id"], "--json")
    assert revoked.returncode == 0, revoked.stderr
    assert json.loads(revoked.stdout)["revoked_at"] is not None
    assert "revoked" in error(holder.get(GENERATIONS), 401, "unauthorized")["message"]
    assert caller.get(GENERATIONS).status_code == 200


def test_revoking_what_is_not_there_fails_with_a_sentence(server: ServerProcess) -> None:
    result = keys(server.data, "revoke", "key_none")
    assert result.returncode == 1
    assert "key_none" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_list_shows_every_key_and_no_secret(server: ServerProcess) -> None:
    made = create(server, "--name", "seen", "--owner", "own_seen")
    rows = json.loads(keys(server.data, "list", "--json").stdout)
    assert all("key" not in row for row in rows)
    row = next(row for row in rows if row["id"] == made["id"])
    assert (row["name"], row["owner"], row["last_four"]) == ("seen", "own_seen", made["key"][-4:])
    text = keys(server.data, "list").stdout
    assert made["id"] in text
    assert made["key"] not in text + json.dumps(rows)
    assert server.api_key not in text


def test_two_keys_of_one_owner_see_the_same_tasks(server: ServerProcess) -> None:
    first, second = (
        server.caller(create(server, "--name", name, "--owner", "own_team")["key"]) for name in "ab"
    )
    task = first.create()
    assert second.task(task["id"])["id"] == task["id"]
    second.stop(task)


@pytest.mark.parametrize("name", ["", "n" * 101])
def test_a_name_that_cannot_be_fails_with_a_sentence_that_says_what_can(
    server: ServerProcess, name: str
) -> None:
    result = keys(server.data, "create", "--name", name)
    assert result.returncode == 1
    assert "1 to 100 characters" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_key_is_shown_once_on_standard_output_and_nothing_else_knows_it(server: ServerProcess) -> None:
    shown = keys(server.data, "create", "--name", "plain").stdout
    secret = re.search("rsk_[0-9A-Z]{26}", shown)
    assert secret is not None
    holder = server.caller(secret[0])
    holder.stop(holder.create())
    error(server.caller(secret[0] + "X").get(GENERATIONS), 401, "unauthorized")
    kept = b"".join(path.read_bytes() for path in server.data.glob("meshapi.db*"))
    assert secret[0].encode() not in kept
    assert secret[0] not in server.stderr
    assert secret[0] not in server.stdout


def test_the_development_key_is_in_its_file_and_on_the_screen_and_nowhere_else(
    server: ServerProcess, caller: Caller
) -> None:
    caller.stop(caller.create())
    secret = server.api_key
    kept = b"".join(path.read_bytes() for path in server.data.glob("meshapi.db*"))
    assert secret.encode() not in kept
    assert secret[4:].encode() not in kept
    assert secret not in server.stderr
    assert server.stdout.count(secret) == 1
    holders = [
        path.name
        for path in server.data.rglob("*")
        if path.is_file() and secret.encode() in path.read_bytes()
    ]
    assert holders == ["development.json"]
    assert (server.data / "development.json").stat().st_mode & 0o777 == 0o600
    assert server.data.stat().st_mode & 0o777 == 0o700


def test_keys_work_on_a_directory_that_no_server_has_opened_yet(tmp_path: Path) -> None:
    made = keys(tmp_path / "new", "create", "--name", "first", "--json")
    assert made.returncode == 0, made.stderr
    listed = json.loads(keys(tmp_path / "new", "list", "--json").stdout)
    assert [row["name"] for row in listed] == ["first"]
    with sqlite3.connect(tmp_path / "new" / "meshapi.db") as database:
        ((digest,),) = database.execute("select hash from api_key").fetchall()
    assert len(digest) == 32
