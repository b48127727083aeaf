"""The code of the published documentation runs word for word, against both manners of service."""

import ast
import inspect
import re
import time
from pathlib import Path

import pytest
from sdk_support.mesh import Task
from sdk_support.reroute import reroute

PAGE = (Path(__file__).parent / "published_snippets.md").read_text("utf-8")
SNIPPETS = dict(re.findall(r"^## (.+?)\n+```python\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL))


@pytest.fixture(params=["hosted", "mesh"])
def service(request, monkeypatch):
    """Either manner of service, where the snippets believe the hosted one to be."""
    service = request.getfixturevalue(request.param)
    service.key = "rsk_..."
    service.tasks["task-id"] = Task("task-id", {"model": "m/x"}, 0.01)
    reroute(monkeypatch, "api.meshapi.ai", service.url)
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.05)))
    return service


async def _run(*titles):
    names = {}
    for title in titles:
        code = compile(SNIPPETS[title], title, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        done = eval(code, names)
        if inspect.isawaitable(done):
            await done
    return names


def test_all_snippets_of_the_page_are_here():
    assert list(SNIPPETS) == [
        "Generate a Video",
        "Poll Until Complete",
        "List Tasks",
        "Retrieve a Task",
        "Async",
    ]


async def test_generate_then_poll_until_complete(service, capsys):
    await _run("Generate a Video", "Poll Until Complete")
    told = capsys.readouterr().out
    assert "Task ID: task_" in told
    assert "Status: succeeded" in told
    assert f"Video URL: {service.url}/files/" in told
    assert service.paid == 2  # the one of the fixture and the one generated


async def test_list_tasks(service, capsys):
    await _run("Generate a Video", "List Tasks")
    assert "2 total tasks" in capsys.readouterr().out
    assert service.asked[-1].query == [("limit", "20")]


async def test_retrieve_a_task(service, capsys):
    await _run("Generate a Video", "Retrieve a Task")
    assert capsys.readouterr().out.splitlines()[-1] in {"succeeded", "running", "queued", "pending"}


async def test_async(service, capsys):
    await _run("Async")
    assert capsys.readouterr().out.strip() in {"queued", "pending", "running"}
