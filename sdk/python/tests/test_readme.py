"""The README's code runs, in its order, against a service in the manner of our server."""

import ast
import inspect
import re
from pathlib import Path

from sdk_support.mesh import VIDEO
from sdk_support.reroute import reroute

from meshapi import testing

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


async def test_the_code_of_the_readme_runs(mesh, monkeypatch, tmp_path, capsys):
    mesh.key = "rsk_..."
    reroute(monkeypatch, "api.meshapi.ai", mesh.url)
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        done = eval(compile(block, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
        if inspect.isawaitable(done):
            await done
    assert (tmp_path / "lake.mp4").read_bytes() == VIDEO
    assert mesh.paid == 4
    printed = capsys.readouterr().out
    assert "succeeded 1.0" in printed
    assert re.search(r"```text\n(.*?)```", README, re.DOTALL)[1] in printed


def test_the_example_of_the_testing_module_runs():
    (example,) = re.findall(r"::\n\n(    .*?)\n\n\S", testing.__doc__, re.DOTALL)
    names = {}
    exec(compile(inspect.cleandoc(example), "testing", "exec"), names)
    assert names["done"].status == "succeeded"
