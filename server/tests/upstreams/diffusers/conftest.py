"""What these tests share: an interpreter that has torch, and real pipelines of tiny random parts."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[4]))  # what makes the environment belongs to no distribution

from tests.upstreams import published

from ...serving import Caller, ServerProcess, serving

TINY_MODELS = Path(published.__file__).parent / "diffusers" / "tiny_models.py"


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Parts this small are quickest on one thread; several wait for one another, and for other tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="session")
def torch_python() -> str:
    """The interpreter of an environment of its own, with torch for the CPU and diffusers; made once."""
    try:
        return str(published.environment("diffusers"))
    except RuntimeError as fault:
        if "CI" in os.environ:
            raise
        pytest.skip(f"NO LOCAL PIPELINE WAS RUN: {fault}")


@pytest.fixture(scope="session")
def models(torch_python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of model folders, as the operator names one."""
    folder = tmp_path_factory.mktemp("models")
    command = [torch_python, str(TINY_MODELS), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def network_notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where every attempt of a pipeline to reach the network is noted; absent while there is none."""
    return tmp_path_factory.mktemp("notes") / "network"


@pytest.fixture(scope="session")
def offline_python(torch_python: str, network_notes: Path) -> str:
    """The interpreter, without a network."""
    script = network_notes.with_name("python")
    program = Path(__file__).with_name("offline.py")
    script.write_text(f'#!/bin/sh\nexec "{torch_python}" -P "{program}" "{network_notes}" "$@"\n')
    script.chmod(0o755)
    return str(script)


@pytest.fixture(scope="module")
def server(
    offline_python: str, models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """A server that serves them."""
    variables = {"MESHAPI_DIFFUSERS_MODELS": str(models), "MESHAPI_DIFFUSERS_PYTHON": offline_python}
    with serving(tmp_path_factory.mktemp("server") / "data", **variables) as started:
        yield started


@pytest.fixture(scope="module")
def caller(server: ServerProcess) -> Caller:
    """A caller of that server."""
    return server.caller()
