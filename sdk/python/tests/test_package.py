"""The package as a whole: its names, its types, its generated half, its cost to import."""

import json
import pickle
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import meshapi
from meshapi import TaskFailedError, VideoTaskResponse, WaitTimeoutError, errors, types

HERE = Path(__file__).parent
PACKAGE = HERE.parent
ROOT = PACKAGE.parents[1]


def test_every_public_name_is_there():
    assert [name for name in meshapi.__all__ if not hasattr(meshapi, name)] == []
    assert set(meshapi.__all__) <= set(dir(meshapi))


def test_every_error_and_type_is_public():
    raised = {
        name for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, Exception)
    }
    assert raised | set(types.__all__) <= set(meshapi.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="VideoGenerator"):
        _ = meshapi.VideoGenerator


def test_every_error_has_one_root_and_its_attributes():
    names = ("status", "error_code", "request_id", "details", "provider_error", "retry_after_seconds")
    for name in meshapi.__all__:
        each = getattr(meshapi, name)
        if isinstance(each, type) and issubclass(each, Exception):
            assert issubclass(each, meshapi.MeshAPIError)
    assert [name for name in names if not hasattr(meshapi.MeshAPIError("x"), name)] == []


def test_errors_cross_process_borders_whole():
    task = VideoTaskResponse.model_validate(
        {"id": "t", "status": "failed", "error": {"code": "c", "message": "m"}}
    )
    failed = pickle.loads(pickle.dumps(TaskFailedError(task)))
    assert (type(failed), failed.task, str(failed)) == (TaskFailedError, task, "Task t ended failed: c: m")
    late = pickle.loads(pickle.dumps(WaitTimeoutError("t", 5, None)))
    assert (late.task_id, isinstance(late, TimeoutError)) == ("t", True)
    limited = pickle.loads(pickle.dumps(meshapi.RateLimitError("m", status=429, retry_after_seconds=3)))
    assert (limited.status, limited.retry_after_seconds) == (429, 3)


def test_the_version_is_that_of_the_distribution():
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == meshapi.__version__


def test_importing_the_package_loads_no_library():
    code = "import sys, json, meshapi; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"httpx2", "pydantic", "typer", "rich", "asyncio"} & set(json.loads(done.stdout))


def test_what_only_some_programs_use_is_loaded_when_it_is_used():
    code = (
        "import sys, json; from meshapi import MeshAPI, VideoGenerationParams, VideoContentItem;"
        " print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    late = {
        "_sink",
        "_part",
        "_download",
        "_watch",
        "_raw",
        "types.listing",
        "types.quote",
        "types.usage",
        "_usage",
        "_cursor",
        "_sync.usage",
        "_sync.webhooks",
        "webhooks",
        "testing",
    }
    assert not {f"meshapi.{name}" for name in late} & set(json.loads(done.stdout))


def test_the_modules_of_the_public_api_are_attributes():
    assert meshapi.webhooks.verify
    assert meshapi.testing.MockServer
    assert (meshapi.errors, meshapi.types) == (errors, types)
    with pytest.raises(AttributeError, match="VideoGenerator"):
        _ = types.VideoGenerator
    assert set(types.__all__) <= set(dir(types))


def test_the_sync_client_does_not_load_the_async_one():
    code = "import sys, json; from meshapi import MeshAPI; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "meshapi._async.client" not in json.loads(done.stdout)


def test_the_sync_half_is_what_the_generator_writes():
    done = subprocess.run(
        [sys.executable, PACKAGE / "generate_sync.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_type_checkers_see_the_public_api_as_it_is_meant():
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", HERE / "typing_surface.py"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout
