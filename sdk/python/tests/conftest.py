"""Shared by the SDK's tests: the folder of their support package, and the local servers they talk to."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from sdk_support.command import Command
from sdk_support.mesh import MeshService
from sdk_support.scripted import ScriptedServer


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "TOKEN", "BASE_URL", "LOG", "DATA_DIR", "WEBHOOK_SECRET"):
        monkeypatch.delenv(f"MESHAPI_{name}", raising=False)


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    """A real HTTP server that answers what a test tells it, in order."""
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def mesh() -> Iterator[MeshService]:
    """A small working service in the manner of our server."""
    with MeshService() as service:
        yield service


@pytest.fixture
def hosted() -> Iterator[MeshService]:
    """A small working service in the manner of the hosted one."""
    with MeshService(hosted=True) as service:
        yield service


@pytest.fixture
def meshapi(mesh: MeshService, tmp_path: Path) -> Command:
    """The ``meshapi`` command, configured for the ``mesh`` service."""
    return Command.against(mesh, tmp_path)
