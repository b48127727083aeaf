"""Which storage a setting names, and what is said of one that names none."""

import subprocess
from pathlib import Path

import pytest

from meshapi_server.files import storage_url
from meshapi_server.files.local import LocalStorage
from meshapi_server.files.objects import ObjectStorage
from meshapi_server.files.storage import StorageFault
from meshapi_server.files.storage_url import StorageUnusable, storage_of
from meshapi_server.settings import SettingsInvalid, load

from ..serving import COMMAND, environment


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("", LocalStorage),
        ("file:///srv/videos", LocalStorage),
        ("file://localhost/srv/videos", LocalStorage),
        ("s3://bucket", ObjectStorage),
        ("s3://bucket/a/prefix", ObjectStorage),
        ("gs://bucket/prefix", ObjectStorage),
        ("az://container/prefix", ObjectStorage),
    ],
)
def test_a_url_names_a_storage(url: str, kind: type) -> None:
    assert isinstance(storage_of(url, Path("/default")), kind)


@pytest.mark.parametrize(
    "url",
    ["videos", "/srv/videos", "s3://", "file://", "file://other/srv", "http://x/y", "ftp://x/y", "s3:bucket"],
)
def test_what_names_no_storage_is_told_with_what_would(url: str) -> None:
    with pytest.raises(StorageUnusable, match="file:///PATH, s3://BUCKET/PREFIX"):
        storage_of(url, Path("/default"))


def test_a_password_in_the_url_is_not_repeated() -> None:
    with pytest.raises(StorageUnusable) as refused:
        storage_of("ftp://me:hunter2@host/x?token=abc", Path("/default"))
    assert "hunter2" not in str(refused.value)
    assert "abc" not in str(refused.value)


def test_an_object_store_without_its_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_url.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(StorageUnusable, match=r"pip install 'meshapi-server\[storage\]'"):
        storage_of("s3://bucket", Path("/default"))


def test_an_object_store_that_cannot_be_set_up_is_told_in_one_line() -> None:
    storage = ObjectStorage("az://container/prefix")
    with pytest.raises(StorageFault) as refused:
        storage.open()
    assert str(refused.value).startswith("az://container/prefix: ")
    assert "\n" not in str(refused.value)


def test_a_server_with_no_such_storage_ends_with_a_word_and_no_trace(tmp_path: Path) -> None:
    ended = subprocess.run(
        [COMMAND, "serve", "--port", "0", "--data", str(tmp_path / "data"), "--storage", "videos"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("meshapi serve: storage: 'videos' is no storage; use file:///PATH")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("name", ["KEEP_RESULTS", "KEEP_TASKS", "KEEP_INPUTS"])
@pytest.mark.parametrize("value", ["-1", "nan", "1e9", "soon"])
def test_a_time_that_is_no_number_of_days_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(SettingsInvalid, match=name.lower()):
        load({}, {f"MESHAPI_{name}": value})
