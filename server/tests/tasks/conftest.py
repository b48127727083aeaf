"""The task service on a real store, real files and the real catalogue."""

from pathlib import Path

import pytest

from meshapi_server.store.sqlite import SqliteStore
from meshapi_server.tasks.changes import Changes
from meshapi_server.tasks.service import TaskService
from meshapi_server.upstreams.catalogue import Catalogue
from meshapi_server.upstreams.registry import Registry

from ..samples import HandClock
from ..stored import LocalFiles
from .bench import Bench


@pytest.fixture(scope="session")
def registry() -> Registry:
    return Registry(Catalogue.load(), {"mesh", "sandbox"}, simulate=True)


@pytest.fixture
def changes() -> Changes:
    return Changes()


@pytest.fixture
def files(tmp_path: Path) -> LocalFiles:
    opened = LocalFiles(tmp_path)
    opened.open()
    return opened


@pytest.fixture
def service(
    store: SqliteStore, registry: Registry, files: LocalFiles, changes: Changes, clock: HandClock
) -> TaskService:
    return TaskService(store, registry, files, changes, clock)


@pytest.fixture
def bench(store: SqliteStore, files: LocalFiles, clock: HandClock) -> Bench:
    """A workbench whose time only the test moves."""
    return Bench(store, files, clock)
