"""Storages of every kind, for the one suite that runs over all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from meshapi_server.files.storage import Storage
from meshapi_server.files.storage_url import storage_of

from .s3_server import S3, s3_server


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """A running S3-compatible server."""
    with s3_server(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture
def storage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """An empty storage of the kind that the test is run for, open."""
    if request.param == "local":
        opened = storage_of(f"file://{tmp_path / 'results'}", tmp_path)
    else:
        s3: S3 = request.getfixturevalue("s3")
        for name, value in s3.variables.items():
            monkeypatch.setenv(name, value)
        opened = storage_of(f"{s3.url}/{tmp_path.name}", tmp_path)
    opened.open()
    return opened


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that uses a storage is run with each kind."""
    if "storage" in metafunc.fixturenames:
        metafunc.parametrize("storage", ["local", "s3"], indirect=True)
