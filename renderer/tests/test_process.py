"""The render process: its events, its exit codes, and that it never outlives its purpose."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from meshapi_renderer.job import (
    EXIT_CANCELLED,
    EXIT_DONE,
    EXIT_INTERNAL,
    EXIT_INVALID,
    Done,
    Event,
    Failed,
    Job,
    Planned,
    Progress,
    command,
    decode_event,
    environment,
)

_PATIENCE = 30.0
_LINUX = sys.platform == "linux"
Child = subprocess.Popen[str]
Start = Callable[[Job | str], Child]


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that starts the process with a job on its input, which stays open."""
    children: list[Child] = []

    def begin(job: Job | str) -> Child:
        child = subprocess.Popen(
            command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(os.environ),
        )
        children.append(child)
        assert child.stdin is not None
        child.stdin.write((job if isinstance(job, str) else job.to_json()) + "\n")
        child.stdin.flush()
        return child

    yield begin
    for child in children:
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout, child.stderr):
            if stream is not None:
                stream.close()


def _job(folder: Path, frames: int = 4, **values: object) -> Job:
    base: dict[str, object] = {"prompt": "Abstract neon waves", "seed": 5, "resolution": "480p"}
    return Job(**{**base, "frames": frames, "output": str(folder / "video.mp4"), **values})  # type: ignore[arg-type]


def _events(child: Child) -> Iterator[Event]:
    assert child.stdout is not None
    for line in child.stdout:
        yield decode_event(line)


def _wait_for_first_frame(child: Child) -> None:
    next(event for event in _events(child) if isinstance(event, Progress) and event.done > 0)


def _gone(process: int) -> bool:
    """Tell whether a process has ended; a zombie has."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def _soon(happened: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + _PATIENCE
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_job_gives_a_plan_then_progress_then_the_result(start: Start, tmp_path: Path) -> None:
    child = start(_job(tmp_path))
    events = list(_events(child))
    assert child.wait(_PATIENCE) == EXIT_DONE
    plan = next(event for event in events if isinstance(event, Planned))
    assert plan.plan["setting"] == "neon"
    progress = [event.done for event in events if isinstance(event, Progress)]
    assert progress[0] == 0, "the bake is reported as well"
    assert progress == sorted(progress)
    assert progress[-1] == 4
    done = events[-1]
    assert isinstance(done, Done)
    assert done.video.bytes == (tmp_path / "video.mp4").stat().st_size
    assert done.seed == 5
    assert set(done.versions) == {"renderer", "numpy", "opencv", "av", "ffmpeg", "pillow"}
    assert [path.name for path in tmp_path.iterdir()] == ["video.mp4"]


def test_two_processes_give_the_same_bytes(start: Start, tmp_path: Path) -> None:
    hashes = set()
    for threads in (1, 2):
        done = list(_events(start(_job(tmp_path, threads=threads))))[-1]
        assert isinstance(done, Done)
        hashes.add(done.video.sha256)
    assert len(hashes) == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("not json", "job: is not JSON"),
        ("{}", "prompt: is missing"),
        (
            json.dumps({"prompt": "x", "seed": -1, "frames": 1, "output": "o"}),
            "seed: must be between 0 and 4294967295, got -1",
        ),
        (
            json.dumps({"prompt": "x", "seed": 1, "frames": 1, "output": "/none/o.mp4"}),
            "output: cannot be written: No such file",
        ),
        (
            json.dumps({"prompt": "", "seed": 1, "frames": 1, "output": "o", "first_frame": "/none.png"}),
            "first_frame: cannot be read: No such file",
        ),
    ],
)
def test_a_bad_job_ends_with_one_clear_error_and_code_2(
    line: str, message: str, start: Start, tmp_path: Path
) -> None:
    child = start(line.replace('"o"', json.dumps(str(tmp_path / "o.mp4"))))
    events = list(_events(child))
    assert child.wait(_PATIENCE) == EXIT_INVALID
    last = events[-1]
    assert isinstance(last, Failed)
    assert last.code == "invalid_input"
    assert last.message.startswith(message)
    assert not any(isinstance(event, Failed) for event in events[:-1])
    assert list(tmp_path.iterdir()) == []
    assert child.stderr is not None
    assert "Traceback" not in child.stderr.read()


def test_an_empty_input_is_a_bad_job(tmp_path: Path) -> None:
    run = subprocess.run(command(), input="", capture_output=True, text=True, env=environment(os.environ))
    assert run.returncode == EXIT_INVALID
    assert decode_event(run.stdout) == Failed(
        "invalid_input", "job: is missing: one line of JSON is expected on standard input"
    )


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_ends_a_render_at_once_and_leaves_no_file(
    stop: signal.Signals, start: Start, tmp_path: Path
) -> None:
    child = start(_job(tmp_path, frames=1000))
    _wait_for_first_frame(child)
    assert len(list(tmp_path.iterdir())) == 1
    asked = time.monotonic()
    child.send_signal(stop)
    assert child.wait(_PATIENCE) == EXIT_CANCELLED
    assert time.monotonic() - asked < 5, "a render of 1000 frames was not waited for"
    assert list(tmp_path.iterdir()) == []


def test_closing_the_input_ends_a_render_and_leaves_no_file(start: Start, tmp_path: Path) -> None:
    child = start(_job(tmp_path, frames=1000))
    _wait_for_first_frame(child)
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(_PATIENCE) == EXIT_CANCELLED
    assert list(tmp_path.iterdir()) == []


def test_a_render_can_be_stopped_while_it_bakes(start: Start, tmp_path: Path) -> None:
    child = start(_job(tmp_path, prompt="A mountain lake", resolution="1080p", frames=100))
    next(event for event in _events(child) if isinstance(event, Planned))
    child.terminate()
    assert child.wait(_PATIENCE) == EXIT_CANCELLED
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not _LINUX, reason="reads /proc")
@pytest.mark.parametrize("keeps_input_open", [False, True])
def test_killing_the_parent_ends_the_render(keeps_input_open: bool, tmp_path: Path) -> None:
    # With the input held open by a third process, only the kernel's death signal can tell the child.
    code = (
        "import os, subprocess, sys, time\n"
        "from meshapi_renderer.job import command, environment\n"
        "child = subprocess.Popen(command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,\n"
        "                         env=environment(os.environ))\n"
        "child.stdin.write(sys.argv[1] + chr(10)); child.stdin.flush()\n"
        "while '\"done\":0' in (line := child.stdout.readline()) or '\"plan\"' in line: pass\n"
        "hold = {'args': ['sleep', '60'], 'pass_fds': [child.stdin.fileno()]}\n"
        "print(child.pid, subprocess.Popen(**hold).pid if sys.argv[2] else 0, flush=True)\n"
        "time.sleep(600)\n"
    )
    job = _job(tmp_path, frames=1000).to_json()
    parent = subprocess.Popen(
        [sys.executable, "-c", code, job, "yes" if keeps_input_open else ""],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    child, holder = (int(part) for part in parent.stdout.readline().split())
    try:
        assert not _gone(child)
        parent.kill()
        parent.wait()
        parent.stdout.close()
        assert _soon(lambda: _gone(child))
        # Its other threads may still be at work for a moment when the first one is gone.
        assert _soon(lambda: list(tmp_path.iterdir()) == [])
    finally:
        for process in (child, holder):
            if process and not _gone(process):
                os.kill(process, signal.SIGKILL)


@pytest.mark.skipif(not _LINUX, reason="the death signal is Linux")
def test_the_end_of_the_thread_that_started_it_does_not_end_a_render(start: Start, tmp_path: Path) -> None:
    started: list[Child] = []
    thread = threading.Thread(target=lambda: started.append(start(_job(tmp_path, frames=30))))
    thread.start()
    thread.join()
    assert isinstance(list(_events(started[0]))[-1], Done)


def _run_with_scene(scene: str, job: Job) -> tuple[int, list[Event], str]:
    """Run the true process with a scene in place of the built-in ones; return code, events, errors."""
    code = (
        "import sys\n"
        "import numpy as np\n"
        "from meshapi_renderer import render, worker\n"
        f"class Scene:\n{scene}\n"
        "render.build_scene = lambda composition: Scene()\n"
        "sys.exit(worker.main())\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(os.environ),
    )
    assert child.stdin is not None
    child.stdin.write(job.to_json() + "\n")
    child.stdin.flush()
    events = list(_events(child))
    _, errors = child.communicate(timeout=_PATIENCE)
    return child.returncode, events, errors


@pytest.mark.skipif(not _LINUX, reason="reads /proc")
def test_a_render_that_takes_too_much_memory_is_ended_with_an_error(tmp_path: Path) -> None:
    grows = (
        "    kept = []\n"
        "    def frame(self, index, scratch):\n"
        "        self.kept.append(np.ones(20_000_000, np.uint8))\n"
        "        return np.zeros((480, 864, 3), np.uint8)\n"
    )
    code, events, _ = _run_with_scene(grows, _job(tmp_path, frames=1000))
    assert code == EXIT_INTERNAL
    last = events[-1]
    assert isinstance(last, Failed)
    assert last.code == "internal_error"
    assert "more than its bound of 350 MB" in last.message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not _LINUX, reason="address space limits are Linux")
def test_an_absurd_allocation_fails_instead_of_taking_the_machine(tmp_path: Path) -> None:
    absurd = "    def frame(self, index, scratch):\n        return np.ones(1 << 36, np.uint8)\n"
    code, events, _ = _run_with_scene(absurd, _job(tmp_path))
    assert code == EXIT_INTERNAL
    assert events[-1] == Failed("internal_error", "the render ran out of memory and was stopped")
    assert list(tmp_path.iterdir()) == []


def test_a_crash_in_a_scene_is_told_in_one_line_without_a_stack_trace(tmp_path: Path) -> None:
    broken = "    def frame(self, index, scratch):\n        return 1 // 0\n"
    code, events, errors = _run_with_scene(broken, _job(tmp_path))
    assert code == EXIT_INTERNAL
    last = events[-1]
    assert isinstance(last, Failed)
    assert last.code == "internal_error"
    assert "ZeroDivisionError" in last.message
    assert "\n" not in last.message
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []
