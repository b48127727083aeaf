"""The child process: what ends it, what it says when it cannot, and who gets its place."""

import asyncio
import os
import pickle
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from meshapi_server.upstreams.contract import ContentItem, Job, Rejected, Rendered, Spec
from meshapi_server.upstreams.diffusers import Configuration, Diffusers, configured, seats
from meshapi_server.upstreams.diffusers.child.meshapi_diffusion.protocol import (
    Done,
    Failed,
    Garbled,
    Ready,
    Render,
    Step,
    Stop,
    Stopped,
    decode,
    encode,
)
from meshapi_server.upstreams.diffusers.process import Child, ChildDied, environment

pytestmark = pytest.mark.timeout(900)  # the first test of all may install torch


PICKLED = {"model": "pytorch_model", "diffusion_pytorch_model": "diffusion_pytorch_model"}
"""The names under which older weights lie in a folder."""


def job(model: str, **asked: Any) -> Job:
    content = (ContentItem(kind="text", index=0, text="a lake"),)
    spec = Spec(model=f"diffusers/{model}", content=content, **{"frames": 5, "resolution": "64p", **asked})
    return Job(task_id="task_1", attempt=1, submission=0, model=model, spec=spec, seed=1, submitted_at=0)


def configuration(models: Path | str, python: str, **more: str) -> Configuration:
    made = configured({"MESHAPI_DIFFUSERS_MODELS": str(models), "MESHAPI_DIFFUSERS_PYTHON": python, **more})
    assert made is not None
    return made


async def unreported(fraction: float | None) -> None:
    """Progress that nobody looks at."""


async def no_pictures(url: str, target: Path) -> None:
    raise AssertionError(f"nothing is fetched here, not {url}")


def pid_of(upstream: Diffusers) -> int | None:
    """The child on the first device."""
    child = upstream._seats._seats[0].child
    return child.pid if child is not None else None


@pytest.fixture
async def started() -> AsyncIterator[Callable[[Configuration], Diffusers]]:
    """Makes upstreams, whose children end with the test."""
    upstreams = []

    def start(wanted: Configuration) -> Diffusers:
        upstreams.append(Diffusers(wanted, no_pictures))
        return upstreams[-1]

    yield start
    for upstream in upstreams:
        await upstream.close()


def test_every_line_of_the_protocol_reads_as_it_was_written() -> None:
    render = Render(
        id="t.1",
        pipeline="P",
        output="/o",
        prompt="ein \u2028 See",
        seed=1,
        width=16,
        height=16,
        frames=5,
        fps=8,
    )
    lines = (
        render,
        Stop("t.1"),
        Ready("P", "cpu"),
        Step("t.1", 1, 4),
        Done("t.1", 16, 16, 5),
        Stopped("t.1"),
        Failed(None, "not_loaded", "why"),
    )
    for line in lines:
        written = encode(line)
        assert written.count(b"\n") == 1
        assert decode(written) == line


@pytest.mark.parametrize(
    "line", [b"", b"[]", b"{}", b'{"type": "dance"}', b'{"type": "stop", "of": 1}', b"\xff"]
)
def test_a_line_that_the_protocol_has_not_is_garbled(line: bytes) -> None:
    with pytest.raises(Garbled):
        decode(line)


def test_no_key_of_the_server_reaches_the_child_and_the_hub_is_out_of_bounds() -> None:
    base = {"ARK_API_KEY": "secret", "HF_TOKEN": "secret", "PATH": "/bin", "CUDA_VISIBLE_DEVICES": "1"}
    kept = environment(base)
    assert "secret" not in kept.values()
    assert (kept["PATH"], kept["CUDA_VISIBLE_DEVICES"], kept["HF_HUB_OFFLINE"]) == ("/bin", "1", "1")


class Trap:
    """What a weights file may do when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._mark,)


async def test_weights_that_can_hold_code_are_not_opened_and_the_task_says_that_nothing_was_loaded(
    models: Path, torch_python: str, tmp_path: Path, started: Callable[[Configuration], Diffusers]
) -> None:
    shutil.copytree(models / "wan", tmp_path / "wan")
    mark = tmp_path / "opened"
    for weights in tmp_path.rglob("*.safetensors"):
        weights.with_name(f"{PICKLED[weights.stem]}.bin").write_bytes(pickle.dumps(Trap(mark)))
        weights.unlink()
    upstream = started(configuration(tmp_path / "wan", torch_python))
    with pytest.raises(Rejected) as caught:
        await upstream.render(job("wan"), tmp_path, unreported)
    error = caught.value.error
    assert (error.code, error.provider_code, error.charged) == ("upstream_error", "not_loaded", "no")
    assert str(tmp_path) not in error.message
    assert not mark.exists()


async def test_a_request_beyond_the_memory_fails_alone_and_the_next_one_is_made(
    models: Path, torch_python: str, tmp_path: Path, started: Callable[[Configuration], Diffusers]
) -> None:
    # An address space of 8 GB: torch itself finds no room for 16 GB of noise, on a machine of any size.
    limited = tmp_path / "python"
    limited.write_text(f'#!/bin/sh\nulimit -v 8000000\nexec "{torch_python}" "$@"\n')
    limited.chmod(0o755)
    upstream = started(configuration(models / "wan", str(limited)))
    with pytest.raises(Rejected) as caught:
        await upstream.render(job("wan", resolution="20000p", ratio="1:1", frames=161), tmp_path, unreported)
    error = caught.value.error
    assert (error.code, error.provider_code) == ("upstream_error", "out_of_memory")
    assert "161 frames of 20000x20000" in error.message
    made = await upstream.render(job("wan"), tmp_path, unreported)
    assert made.video.stat().st_size > 0


async def test_a_model_stays_loaded_until_another_needs_the_place_or_nobody_asks(
    models: Path, torch_python: str, tmp_path: Path, started: Callable[[Configuration], Diffusers]
) -> None:
    upstream = started(configuration(models, torch_python, MESHAPI_DIFFUSERS_IDLE="2"))

    async def made_by(model: str) -> tuple[Rendered, int | None]:
        return await upstream.render(job(model, frames=9), tmp_path, unreported), pid_of(upstream)

    _, first = await made_by("ltx")
    _, again = await made_by("ltx")
    _, other = await made_by("cogvideox")
    assert first == again
    assert other != first
    assert first is not None
    assert not Path(f"/proc/{first}").exists()
    async with asyncio.timeout(120):
        while Path(f"/proc/{other}").exists():  # noqa: ASYNC110 - unloaded when idle, which nobody announces
            await asyncio.sleep(0.1)
    assert pid_of(upstream) is None


async def test_two_devices_hold_two_models_and_work_at_once(
    models: Path, torch_python: str, tmp_path: Path, started: Callable[[Configuration], Diffusers]
) -> None:
    upstream = started(configuration(models, torch_python, MESHAPI_DIFFUSERS_DEVICES="cpu, cpu"))
    places = {name: tmp_path / name for name in ("ltx", "cogvideox")}
    under_way = dict.fromkeys(places, False)
    both = asyncio.Event()

    async def make(name: str) -> Rendered:
        async def report(fraction: float | None) -> None:
            under_way[name] = True
            if all(under_way.values()):
                both.set()
            await both.wait()

        places[name].mkdir(exist_ok=True)
        return await upstream.render(job(name, frames=9), places[name], report)

    async with asyncio.timeout(300):
        made = await asyncio.gather(*map(make, places))
    assert [each.video.parent for each in made] == list(places.values())


async def test_a_step_that_does_not_end_is_broken_off_after_a_cancel(
    models: Path,
    torch_python: str,
    tmp_path: Path,
    started: Callable[[Configuration], Diffusers],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seats, "_STOP_SECONDS", 0.5)
    upstream = started(configuration(models / "ltx", torch_python))
    begun = asyncio.Event()

    async def report(fraction: float | None) -> None:
        begun.set()

    under_way = asyncio.create_task(
        upstream.render(job("ltx", frames=9, num_inference_steps=10_000), tmp_path, report)
    )
    await begun.wait()
    stuck = pid_of(upstream)
    assert stuck is not None
    os.kill(stuck, signal.SIGSTOP)
    under_way.cancel()
    with pytest.raises(asyncio.CancelledError):
        await under_way
    made = await upstream.render(job("ltx", frames=9), tmp_path, unreported)
    assert made.facts.frames == 9
    assert not Path(f"/proc/{stuck}").exists()


async def test_a_child_without_torch_ends_with_its_reason(tmp_path: Path) -> None:
    child = await Child.start(sys.executable, tmp_path, "cpu")
    with pytest.raises(Exception, match=r"No module named 'torch'|model_index\.json"):
        await child.ready()
    await child.end()
    assert not child.alive


async def test_a_child_that_is_killed_is_reported_as_dead(tmp_path: Path) -> None:
    sleeper = tmp_path / "python"
    sleeper.write_text("#!/bin/sh\nexec sleep 600\n")
    sleeper.chmod(0o755)
    child = await Child.start(str(sleeper), tmp_path, "cpu")
    waiting = asyncio.create_task(child.ready())
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(ChildDied, match="ended with code -9"):
        await waiting
    await child.end()


async def test_a_child_whose_words_never_end_is_ended_and_nobody_waits_for_it(tmp_path: Path) -> None:
    talker = tmp_path / "python"
    talker.write_text("#!/bin/sh\nhead -c 3000000 /dev/zero\nexec sleep 600\n")
    talker.chmod(0o755)
    child = await Child.start(str(talker), tmp_path, "cpu")
    with pytest.raises(ChildDied, match="ended with code -9"):
        await asyncio.wait_for(child.ready(), 30)
    await child.end()
