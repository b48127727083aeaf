"""How the command finds its server and its contributed commands, and what it costs to start."""

import json
import subprocess
import sys

import pytest
from sdk_support.command import Command
from sdk_support.mesh import KEY
from typer.testing import CliRunner

import meshapi as package
from meshapi.cli import contributions
from meshapi.cli.application import build


def _development(folder, **content):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "development.json").write_text(json.dumps(content))


def test_the_version_is_told(meshapi):
    assert meshapi.run("--version").out == f"meshapi {package.__version__}\n"


def test_the_help_names_every_command(meshapi):
    told = meshapi.run("--help").out
    for command in (
        "generate",
        "get",
        "list",
        "wait",
        "cancel",
        "delete",
        "download",
        "models",
        "serve",
        "keys",
    ):
        assert f"\n  {command} " in told


def test_the_help_loads_neither_the_client_nor_the_server():
    code = (
        "import sys, json\n"
        "sys.argv = ['meshapi', '--help']\n"
        "from meshapi.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit:\n    print('\\n' + json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert not loaded & {"httpx2", "pydantic", "meshapi_server", "asyncio"}


@pytest.mark.parametrize(
    ("variable", "folder"),
    [("MESHAPI_DATA_DIR", "data"), ("XDG_DATA_HOME", "share"), ("HOME", "home")],
)
def test_the_development_server_is_used_when_nothing_is_configured(mesh, tmp_path, variable, folder):
    below = {"MESHAPI_DATA_DIR": "", "XDG_DATA_HOME": "meshapi", "HOME": ".local/share/meshapi"}[variable]
    _development(tmp_path / folder / below, base_url=mesh.url, api_key=KEY)
    ran = Command.against(None, tmp_path, **{variable: str(tmp_path / folder)}).run("list", "--json")
    assert ran.json()["total"] == 0
    assert f"using the development server {mesh.url}" in ran.err
    assert KEY not in ran.out + ran.err


def test_the_environment_comes_before_the_development_server(mesh, tmp_path):
    _development(tmp_path, base_url="http://127.0.0.1:1", api_key="rsk_other")
    ran = Command.against(mesh, tmp_path, MESHAPI_DATA_DIR=str(tmp_path)).run("list", "--json")
    assert (ran.status, ran.err) == (0, "")


def test_a_base_url_without_a_key_does_not_borrow_the_development_key(mesh, tmp_path):
    _development(tmp_path, base_url=mesh.url, api_key=KEY)
    settings = {"MESHAPI_DATA_DIR": str(tmp_path), "MESHAPI_BASE_URL": mesh.url}
    ran = Command.against(None, tmp_path, **settings).run("list")
    assert (ran.status, mesh.asked) == (1, [])
    assert "no API key" in ran.err


def test_with_nothing_configured_it_says_what_to_do(tmp_path):
    ran = Command.against(None, tmp_path).run("list")
    assert (ran.status, ran.out) == (1, "")
    assert "MESHAPI_API_KEY" in ran.err
    assert "meshapi serve" in ran.err


@pytest.mark.parametrize("content", ["{", "[]", '{"base_url": 7}'])
def test_a_damaged_development_file_is_an_error_that_names_it(tmp_path, content):
    (tmp_path / "development.json").write_text(content)
    ran = Command.against(None, tmp_path, MESHAPI_DATA_DIR=str(tmp_path)).run("list")
    assert ran.status == 1
    assert str(tmp_path / "development.json") in ran.err


def test_a_server_that_is_not_running_is_one_line_that_asks_for_it(tmp_path):
    _development(tmp_path, base_url="http://127.0.0.1:1", api_key=KEY)
    ran = Command.against(None, tmp_path, MESHAPI_DATA_DIR=str(tmp_path)).run("list")
    assert ran.status == 1
    assert "cannot connect" in ran.err
    assert "is `meshapi serve` running?" in ran.err
    assert "Traceback" not in ran.err


def test_an_unknown_command_is_a_usage_error(meshapi):
    assert meshapi.run("generat").status == 2


def test_without_the_extra_the_command_says_what_to_install():
    code = "import sys; sys.modules['typer'] = None; from meshapi.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "pip install 'meshapi[cli]'" in done.stderr


def _contribute(folder, module, entry):
    """Another distribution on the path, with one entry point."""
    (folder / "contributed.py").write_text(module)
    metadata = folder / "contributed-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: contributed\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{contributions.GROUP}]\n{entry}\n")
    return Command.against(None, folder, PYTHONPATH=str(folder))


def test_a_contributed_function_is_a_command_with_its_options(tmp_path):
    module = (
        "def greet(name: str, loud: bool = False):\n"
        "    'Say hello.'\n"
        "    print(name.upper() if loud else name)\n"
    )
    command = _contribute(tmp_path, module, "greet = contributed:greet")
    assert command.run("greet", "ann", "--loud").out == "ANN\n"
    assert "Say hello." in command.run("greet", "--help").out


def test_a_contributed_group_is_a_group(tmp_path):
    module = (
        "import typer\n"
        "rooms = typer.Typer(help='Rooms.')\n"
        "@rooms.command()\ndef add(name: str):\n    print('added', name)\n"
        "@rooms.command()\ndef drop(name: str):\n    print('dropped', name)\n"
    )
    command = _contribute(tmp_path, module, "rooms = contributed:rooms")
    assert command.run("rooms", "drop", "x").out == "dropped x\n"


def test_a_contribution_is_loaded_only_when_it_is_called(tmp_path):
    module = "from pathlib import Path\nPath('loaded').touch()\ndef greet():\n    print('hello')\n"
    command = _contribute(tmp_path, module, "greet = contributed:greet")
    assert "greet Provided by contributed." in " ".join(command.run("--help").out.split())
    assert not (tmp_path / "loaded").exists()
    assert command.run("greet").out == "hello\n"
    assert (tmp_path / "loaded").exists()


@pytest.mark.parametrize("module", ["raise RuntimeError('broken inside')", "greet = 7"])
def test_a_contribution_that_cannot_be_loaded_is_one_line_and_harms_no_other_command(tmp_path, module):
    command = _contribute(tmp_path, module, "greet = contributed:greet")
    ran = command.run("greet", "--whatever")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("meshapi greet cannot be loaded: ")
    assert len(ran.err.splitlines()) == 1
    assert command.run("--version").status == 0


def test_a_defect_is_one_line_without_a_trace(tmp_path):
    command = _contribute(
        tmp_path, "def greet():\n    raise RuntimeError('lost\\nit')\n", "greet = contributed:greet"
    )
    ran = command.run("greet")
    assert (ran.status, ran.err) == (1, "meshapi: internal error: RuntimeError: lost it\n")


def test_a_contribution_cannot_take_the_place_of_a_command(tmp_path):
    command = _contribute(tmp_path, "def fake():\n    print('fake')\n", "list = contributed:fake")
    assert "fake" not in command.run("list").out


def test_serve_without_the_server_says_what_to_install(monkeypatch):
    monkeypatch.setattr(contributions, "entry_points", lambda group: [])
    for arguments in (["serve", "--port", "0"], ["serve", "--help"], ["keys", "create"]):
        ran = CliRunner().invoke(build(arguments), arguments)
        assert ran.exit_code == 1
        assert "pip install meshapi-server" in ran.stderr
    assert "pip install meshapi-server" in CliRunner().invoke(build(["--help"]), ["--help"]).stdout
