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


@pytest.fixture(scope="module")
def server(
    torch_python: str, models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """A server that serves them."""
    variables = {"MESHAPI_DIFFUSERS_MODELS": str(models), "MESHAPI_DIFFUSERS_PYTHON": torch_python}
    with serving(tmp_path_factory.mktemp("server") / "data", **variables) as started:
        yield started


@pytest.fixture(scope="module")
def caller(server: ServerProcess) -> Caller:
    """A caller of that server."""
    return server.caller()
