"""Every block of code in the documentation runs, against a live server of ours."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from go_programs import GoPrograms
from official import Official
from pages import (
    MARK,
    PAGES,
    ROOT,
    Program,
    adapted_python,
    expected,
    fences,
    go_source,
    printed_by_block,
    programs_of,
)
from scenes import PLAY, Serving

from server_process import ServerProcess

RUN_BLOCKS = Path(__file__).with_name("run_blocks.py")
BIN = Path(sys.executable).parent
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PROGRAMS = [program for page in PAGES for program in programs_of(page)]
GUIDES = [page for page in PAGES if page.parent.name == "howto"]


@pytest.fixture(scope="module")
def ended_task(server: ServerProcess) -> str:
    """The id of a task that has succeeded, for what a reader would fill in."""
    body = {"model": "sandbox/instant", "content": [{"type": "text", "text": "x"}]}
    return str(server.wait(server.call("POST", "/v1/video/generations", body)["id"])["id"])


@pytest.fixture
def environment(server: ServerProcess, ended_task: str, tmp_path: Path) -> dict[str, str]:
    """What a reader has set up: a server, a key, the commands of this tree, a folder of their own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: os.environ[name] for name in ("LANG", "TMPDIR", "SSL_CERT_FILE") if name in os.environ}
    return {
        **kept,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "TERM": "dumb",
        "MESHAPI_BASE_URL": server.base_url,
        "MESHAPI_API_KEY": server.key,
        "MESHAPI_WEBHOOK_SECRET": SECRET,
        "MESHAPI_PORT": "0",
        "MESHAPI_DATA_DIR": str(tmp_path / "data"),
        "TASK_ID": ended_task,
        "PORT": str(port),
    }


def command(
    program: Program, environment: dict[str, str], folder: Path, request: pytest.FixtureRequest
) -> list[str]:
    """How to run a program."""
    if program.language == "go":
        go: GoPrograms = request.getfixturevalue("go")
        return [str(go.command(program.name))]
    if program.language == "sh":
        if program.scene:
            return ["bash", "-euo", "pipefail", "-c", program.blocks[0].text]
        script = "".join(f"{block.text}printf '%s\\n' '{MARK}'\n" for block in program.blocks)
        return ["bash", "-euo", "pipefail", "-c", script]
    blocks = folder / "blocks.json"
    told = [
        {"page": str(block.page), "line": block.line, "text": adapted_python(block.text, environment)}
        for block in program.blocks
    ]
    blocks.write_text(json.dumps(told))
    python = sys.executable
    if program.is_old:
        official: Official = request.getfixturevalue("official")
        python = official.python
    return [python, "-P", str(RUN_BLOCKS), str(blocks)]


def finish(program: Program, arguments: list[str], environment: dict[str, str], folder: Path) -> str:
    done = subprocess.run(
        arguments,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, f"{program.blocks[0].where}:\n{done.stdout}{done.stderr}"
    return done.stdout


def play(program: Program, arguments: list[str], environment: dict[str, str], folder: Path) -> str:
    """Run a serving program while its scene plays; what it printed."""
    assert program.scene is not None
    log, errors = folder / "output.log", folder / "errors.log"
    with log.open("wb") as output, errors.open("wb") as complaints:
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            env={**environment, "PYTHONUNBUFFERED": "1"},
            stdout=output,
            stderr=complaints,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        PLAY[program.scene](Serving(process, folder, environment))
    except (AssertionError, OSError, http.client.HTTPException) as fault:
        raise AssertionError(
            f"{program.blocks[0].where}: {fault!r}\n{log.read_text()}{errors.read_text()}"
        ) from fault
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return f"{log.read_text()}{MARK}\n"


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS, ids=[program.name for program in PROGRAMS])
def test_a_program_of_the_documentation_runs_and_prints_what_the_page_says(
    program: Program, environment: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    arguments = command(program, environment, folder, request)
    if program.scene:
        printed = play(program, arguments, environment, folder)
    else:
        printed = finish(program, arguments, environment, folder)
        if program.language == "go" and len(program.blocks) == 1 and MARK not in printed:
            printed += f"{MARK}\n"  # a whole program has no mark
    parts = list(printed_by_block(printed))
    assert len(parts) == len(program.blocks)
    for block, part in zip(program.blocks, parts, strict=True):
        if block.prints is not None:
            assert expected(block.prints).fullmatch(part.strip()), f"{block.where} printed:\n{part}"


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_no_block_of_a_page_is_without_a_runner(page: Path) -> None:
    blocks, problems = fences(page)
    assert problems == []
    marked = [block for block in blocks if block.info]
    assert sum(len(program.blocks) for program in programs_of(page)) == len(marked)


@pytest.mark.parametrize("page", GUIDES, ids=[page.stem for page in GUIDES])
def test_a_guide_shows_both_languages(page: Path) -> None:
    assert {"python", "go"} <= {block.language for block in fences(page)[0]}


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_the_go_code_of_a_page_is_formatted(page: Path) -> None:
    root = subprocess.run([BIN / "go", "env", "GOROOT"], capture_output=True, text=True, check=True).stdout
    for block in fences(page)[0]:
        if block.language == "go":
            gofmt = [f"{root.strip()}/bin/gofmt", "-d"]
            ran = subprocess.run(gofmt, input=block.text, capture_output=True, text=True, check=False)
            assert (ran.returncode, ran.stdout) == (0, ""), f"{block.where}:\n{ran.stdout}{ran.stderr}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("```js\n1\n```\n", "marked 'js' has no runner"),
        ("```\nplain\n```\n", "marked '' has no runner"),
        ("```python skip\n1\n```\n", "marked 'python skip' has no runner"),
        ("```sh serves=tea\nls\n```\n", "has no runner"),
        ("a\n\n    indented()\n", "code by indentation"),
        ("```text\nout\n```\n", "there is none"),
        ("```python\n\n```\n", "an empty block"),
        ("- in a list\n\n  ~~~ruby\n  1\n  ~~~\n", "marked 'ruby' has no runner"),
    ],
)
def test_a_block_that_cannot_run_is_a_problem(text: str, problem: str) -> None:
    (told,) = fences(ROOT / "docs" / "page.md", text)[1]
    assert problem in told


def test_the_output_of_a_block_must_be_what_the_page_says() -> None:
    assert expected("task_... pending\n").fullmatch("task_01 pending")
    assert not expected("task_... pending\n").fullmatch("task_01 running")


def test_a_go_error_names_the_page_and_the_line() -> None:
    program = next(each for each in PROGRAMS if each.language == "go" and len(each.blocks) > 1)
    source = go_source(program)
    for block in program.blocks:
        assert f"//line {block.page}:{block.line}\n" in source
