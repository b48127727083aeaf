"""The README's code runs, in its order, against a service in the manner of our server."""

import ast
import inspect
import re
from pathlib import Path

from sdk_support.mesh import VIDEO
from sdk_support.reroute import reroute

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
    assert mesh.paid == 3
    assert "succeeded 1.0" in capsys.readouterr().out
