"""`meshapi files unknown`: what the database does not know is shown, and removed only when that is asked."""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from meshapi_server.commands.files import files
from meshapi_server.database import open_database
from meshapi_server.tasks import ids

from .. import samples


class Kept:
    """The data directory of a server that made one task, beside files of a task that it does not know."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known, self.strange, self.young = samples.task(), ids.task_id(), ids.task_id()

    async def fill(self) -> None:
        self.folder.mkdir()
        database = await open_database(f"sqlite:///{self.folder / 'meshapi.db'}")
        await database.store.create(self.known, samples.schedule_of(self.known), b"{}", None)
        self.name = (await database.keys.secret("storage", b"ours")).decode()
        await database.close()
        for task_id in (self.known.id, self.strange, self.young):
            (self.folder / "files" / task_id).mkdir(parents=True)
            (self.folder / "files" / task_id / "video.mp4").write_bytes(b"a video")
        for task_id in (self.known.id, self.strange):
            os.utime(self.folder / "files" / task_id, (time.time() - 7200,) * 2)

    def label(self, name: str) -> None:
        (self.folder / "files" / ".meshapi-storage").write_text(name)

    def there(self) -> list[bool]:
        return [(self.folder / "files" / each).exists() for each in (self.known.id, self.strange, self.young)]


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    made = Kept(tmp_path / "data")
    asyncio.run(made.fill())
    return made


def run(kept: Kept, *arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(files, ["unknown", *arguments, "--data", str(kept.folder)], input=answer)


def document(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_files_of_unknown_tasks_are_shown_and_stay(kept: Kept) -> None:
    shown = document(run(kept, "--json"))
    assert shown == {"tasks": [kept.strange], "bytes": 7, "removed": 0}
    assert run(kept).stdout.splitlines() == [kept.strange, "1 task unknown to the database, 0.0 MB"]
    assert kept.there() == [True, True, True]


def test_they_are_removed_when_that_is_asked_for_and_confirmed(kept: Kept) -> None:
    kept.label(kept.name)
    assert run(kept, "--remove", answer="n\n").exit_code == 1
    assert kept.there() == [True, True, True]
    assert document(run(kept, "--remove", "--yes", "--json"))["removed"] == 1
    assert kept.there() == [True, False, True]
    assert document(run(kept, "--remove", "--json"))["tasks"] == []


@pytest.mark.parametrize("label", [None, "theirs"])
def test_nothing_is_removed_from_a_storage_that_does_not_carry_the_database_s_label(
    kept: Kept, label: str | None
) -> None:
    if label is not None:
        kept.label(label)
    result = run(kept, "--remove", "--yes")
    assert result.exit_code == 1
    assert f"write {kept.name} into .meshapi-storage" in result.stderr
    assert kept.there() == [True, True, True]


def test_what_cannot_be_removed_is_told_by_the_exit_status(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.label(kept.name)
    monkeypatch.setattr("meshapi_server.files.local.shutil.rmtree", lambda *_, **__: None)
    result = run(kept, "--remove", "--yes")
    assert result.exit_code == 1
    assert "; 0 removed" in result.stdout
