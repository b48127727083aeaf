"""``meshapi keys`` beside a running server: what it changes holds at once."""

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from meshapi_server.commands.keys import keys as commands

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


def test_a_shared_database_is_asked_without_a_directory_on_this_machine(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    away = ["--data", str(tmp_path / "file" / "data"), "--database", "postgresql://nobody@127.0.0.1:1/none"]
    result = CliRunner().invoke(commands, ["list", *away])
    assert result.exit_code == 1
    assert "it cannot be reached" in result.stderr


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


TERMS = (
    *("--model", "sandbox/*", "--model", "mesh/diorama-1", "--requests-per-minute", "60"),
    *("--requests-per-day", "1000", "--tasks-in-flight", "5", "--concurrency", "2"),
    *("--budget-per-day", "2.50", "--budget-total", "100", "--expires", "2099-01-31T00:00:00Z"),
)


def tell(server: ServerProcess, *arguments: str) -> dict[str, Any]:
    """What a command says of a key, in JSON."""
    done = keys(server.data, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_everything_that_is_said_of_a_key_is_shown_changed_and_taken_away(server: ServerProcess) -> None:
    made = create(server, "--name", "team", *TERMS)
    shown = tell(server, "show", made["id"])
    assert shown == {name: value for name, value in made.items() if name != "key"}
    assert shown["models"] == ["sandbox/*", "mesh/diorama-1"]
    assert (shown["requests_per_minute"], shown["requests_per_day"]) == (60, 1000)
    assert (shown["tasks_in_flight"], shown["concurrency"]) == (5, 2)
    assert (shown["budget_per_day_usd"], shown["budget_total_usd"]) == ("2.5", "100")
    assert (shown["expires_at"], shown["status"], shown["admin"]) == (4_073_500_800, "active", False)
    changes = ("--name", "crew", "--requests-per-minute", "7", "--clear", "budget-total", "--clear", "models")
    changed = tell(server, "update", made["id"], *changes)
    assert changed == {
        **shown,
        "name": "crew",
        "requests_per_minute": 7,
        "budget_total_usd": None,
        "models": None,
    }
    words = keys(server.data, "show", made["id"]).stdout
    assert "requests_per_minute  7" in words
    assert "2099-01-31 00:00" in words
    assert made["key"] not in words


def test_a_key_is_suspended_and_resumed_while_the_server_runs(server: ServerProcess) -> None:
    made = create(server, "--name", "ci")
    holder = server.caller(made["key"])
    assert "suspended" in keys(server.data, "suspend", made["id"]).stdout
    error(holder.get(GENERATIONS), 403, "forbidden")
    assert "active" in keys(server.data, "resume", made["id"]).stdout
    assert holder.get(GENERATIONS).status_code == 200


def test_a_new_secret_is_shown_once_and_the_old_one_ends_when_it_is_told_to(server: ServerProcess) -> None:
    made = create(server, "--name", "ci")
    rotated = tell(server, "rotate", made["id"])
    assert (rotated["id"], rotated["last_four"]) == (made["id"], rotated["key"][-4:])
    for secret in (made["key"], rotated["key"]):
        assert server.caller(secret).get(GENERATIONS).status_code == 200
    again = re.search("rsk_[0-9A-Z]{26}", keys(server.data, "rotate", made["id"], "--grace", "0").stdout)
    assert again is not None
    error(server.caller(rotated["key"]).get(GENERATIONS), 401, "unauthorized")
    assert server.caller(again[0]).get(GENERATIONS).status_code == 200


def test_an_admin_key_made_on_the_command_line_opens_the_admin_api(server: ServerProcess) -> None:
    admin = server.caller(create(server, "--name", "boss", "--admin")["key"])
    assert admin.get("/v1/admin/keys").status_code == 200
    error(admin.get(GENERATIONS), 403, "forbidden")


def test_keys_are_listed_by_their_owner(server: ServerProcess) -> None:
    made = [create(server, "--name", name, "--owner", "own_listed") for name in "ab"]
    rows = json.loads(keys(server.data, "list", "--owner", "own_listed", "--json").stdout)
    assert [row["id"] for row in rows] == [key["id"] for key in made]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("update", "ID"), "nothing to change"),
        (("update", "ID", "--clear", "everything"), "there is no limit 'everything'; use budget-per-day"),
        (("update", "ID", "--requests-per-minute", "0"), "requests_per_minute: from 1"),
        (("update", "ID", "--budget-total", "ten"), "--budget-total: 'ten' is no amount"),
        (("update", "ID", "--expires", "soon"), "--expires: 'soon' is no time"),
        (("update", "ID", "--expires", "2001-01-01"), "expires_at: a time in the future"),
        (("update", "ID", "--model", "a b"), "models: 'a b' is no pattern"),
        (("rotate", "ID", "--grace", "-1"), "grace_seconds: from 0"),
        (("show", "key_none"), "there is no key 'key_none'"),
        (("rotate", "key_none"), "there is no key 'key_none'"),
        (("suspend", "key_none"), "there is no key 'key_none'"),
        (("create", "--name", "n", "--owner", "a b"), "owner: 1 to 100 visible ASCII"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    own: tuple[Path, str], arguments: tuple[str, ...], said: str
) -> None:
    data, key_id = own
    words = [key_id if argument == "ID" else argument for argument in arguments]
    done = CliRunner().invoke(commands, [*words, "--data", str(data)])
    assert (done.exit_code, done.stdout) == (1, "")
    assert said in done.stderr


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A data directory without a server, and the id of the key in it."""
    data = tmp_path_factory.mktemp("own") / "data"
    return data, json.loads(keys(data, "create", "--name", "only", "--json").stdout)["id"]


def test_a_revoked_key_is_changed_no_more(tmp_path: Path) -> None:
    def run(*words: str) -> Result:
        return CliRunner().invoke(commands, [*words, "--data", str(tmp_path / "data")])

    made = json.loads(run("create", "--name", "n", "--json").stdout)
    assert run("revoke", made["id"]).exit_code == 0
    done = run("rotate", made["id"])
    assert done.exit_code == 1
    assert f"{made['id']} was revoked" in done.stderr
