"""Wan, LTX and CogVideoX from tiny random parts, run offline on the CPU, from a request to the MP4."""

import base64
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import httpx2
import numpy as np
import pytest
from tests.decoded import Decoded, decode

from ...serving import COMMAND, GENERATIONS, TEXT, Caller, ServerProcess, environment, serving

pytestmark = pytest.mark.timeout(900)  # the first test of all may install torch

ENDLESS = 10_000
"""Steps that take these pipelines minutes; nobody waits for their end."""


def ended(caller: Caller, task: dict[str, Any]) -> dict[str, Any]:
    """The task when it has ended, on a machine as busy as can be."""
    for _ in range(5):
        found = caller.task(task["id"], params={"wait": 60}, timeout=90)
        if found["status"] in {"succeeded", "failed"}:
            break
    return found


def made(caller: Caller, model: str, **fields: Any) -> dict[str, Any]:
    """A task that must succeed."""
    task = ended(caller, caller.create(model, **fields))
    assert task["status"] == "succeeded", task
    return task


def until(holds: Callable[[], bool]) -> None:
    """Wait for it, on a machine as busy as can be."""
    deadline = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def moved(caller: Caller, task: dict[str, Any]) -> None:
    """Return when a step of the task is done."""
    until(lambda: (caller.task(task["id"])["progress"] or 0) > 0)


def content(task: dict[str, Any]) -> bytes:
    return httpx2.get(task["content"]["video_url"], trust_env=False).content


def decoded(task: dict[str, Any], folder: Path) -> Decoded:
    file = folder / f"{task['id']}.mp4"
    file.write_bytes(content(task))
    return decode(file)


def picture(width: int = 128, height: int = 72) -> dict[str, Any]:
    """A first frame as a data URI."""
    ramp = np.linspace(0, 255, width * height * 3).reshape(height, width, 3).astype(np.uint8)
    png = base64.b64encode(cv2.imencode(".png", ramp)[1].tobytes()).decode()
    return {
        "type": "image_url",
        "image_url": {"url": f"data:image/png;base64,{png}"},
        "role": "first_frame",
    }


def children(server: ServerProcess) -> list[int]:
    """The processes that were started for pipelines, the latest last."""
    lines = [json.loads(line) for line in server.stderr.splitlines() if line.startswith("{")]
    return [line["pid"] for line in lines if line["event"] == "child started"]


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has waited for is a zombie, and has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_every_folder_is_a_free_model_in_the_list_of_the_api_and_of_the_command(
    server: ServerProcess, caller: Caller
) -> None:
    rows = {row["id"]: row for row in caller.get("/v1/models").json() if row["provider"] == "diffusers"}
    assert set(rows) == {f"diffusers/{name}" for name in ("wan", "wan-image", "ltx", "cogvideox")}
    assert all(row["is_free"] for row in rows.values())
    assert rows["diffusers/wan"]["video"]["frames"] == {"min": 5, "max": 161, "step": 4}
    assert rows["diffusers/ltx"]["supports_video_first_frame"]
    assert "image" in rows["diffusers/wan-image"]["input_modalities"]
    assert "image" not in rows["diffusers/wan"]["input_modalities"]
    variables = environment(MESHAPI_BASE_URL=server.base_url, MESHAPI_API_KEY=server.api_key)
    shown = subprocess.run([COMMAND, "models"], capture_output=True, text=True, env=variables, check=True)
    assert "diffusers/cogvideox" in shown.stdout


# What is asked for, and the width, height, frames and frames per second that come of it.
NEAREST: dict[str, list[tuple[dict[str, Any], tuple[int, int, int, int]]]] = {
    # Sides of 32 pixels, 8 frames for one latent.
    "ltx": [({"duration": 1, "resolution": "64p", "ratio": "4:3"}, (96, 64, 25, 25))],
    # The one size of its weights, and never more frames than they know.
    "cogvideox": [({"duration": 1, "ratio": "1:1"}, (96, 64, 9, 8))],
    # Sides of 16 pixels, 4 frames for one latent. 64 lines at 16:9 are 114 wide, and become 112.
    "wan": [
        ({"duration": 1, "resolution": "64p", "ratio": "16:9"}, (112, 64, 17, 16)),
        ({"frames": 9, "resolution": "96p", "ratio": "9:16"}, (96, 176, 9, 16)),
    ],
}


@pytest.fixture(scope="module", params=NEAREST)
def model(request: pytest.FixtureRequest) -> str:
    """Each pipeline that starts from a text. Of the module, so that the tests of one come together."""
    found: str = request.param
    return found


def test_a_video_from_text_has_the_nearest_size_and_length_that_the_pipeline_can_make(
    caller: Caller, tmp_path: Path, model: str
) -> None:
    for asked, (width, height, frames, fps) in NEAREST[model]:
        task = made(caller, f"diffusers/{model}", **asked)
        video = decoded(task, tmp_path)
        assert (video.codec, video.audio_codec) == ("h264", None)
        assert (video.width, video.height, len(video.frames), video.fps) == (width, height, frames, fps)
        assert (task["frames"], task["framespersecond"], task["cost_usd"]) == (frames, fps, "0")


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_frames(
    caller: Caller, tmp_path: Path, model: str
) -> None:
    first, again, other = (made(caller, f"diffusers/{model}", seed=seed, frames=9) for seed in (7, 7, 8))
    assert first["seed"] == 7
    assert content(first) == content(again)
    one, two = (np.stack(decoded(task, tmp_path).frames).astype(int) for task in (first, other))
    assert (one != two).mean() > 0.2


@pytest.mark.parametrize("name", ["ltx", "wan-image"])
def test_a_first_frame_gives_the_video_its_shape(caller: Caller, tmp_path: Path, name: str) -> None:
    asked = [*TEXT, picture(width=72, height=128)]
    task = made(caller, f"diffusers/{name}", content=asked, ratio="adaptive", frames=9)
    video = decoded(task, tmp_path)
    assert task["ratio"] == "9:16"
    assert video.height > video.width
    assert len(video.frames) == 9


def test_a_first_and_a_last_frame_are_both_taken_and_the_last_one_made_can_be_had(
    caller: Caller, tmp_path: Path
) -> None:
    last = {**picture(), "role": "last_frame"}
    asked = [*TEXT, picture(), last]
    task = made(caller, "diffusers/wan-image", content=asked, frames=9, return_last_frame=True, seed=3)
    alone = made(caller, "diffusers/wan-image", content=asked[:2], frames=9, seed=3)
    assert content(task) != content(alone)
    image = cv2.imdecode(
        np.frombuffer(httpx2.get(task["content"]["last_frame_url"], trust_env=False).content, np.uint8),
        cv2.IMREAD_COLOR,
    )
    video = decoded(task, tmp_path)
    assert image is not None
    assert image.shape[:2] == (video.height, video.width)


def test_a_picture_that_is_none_fails_the_task_and_is_named(caller: Caller) -> None:
    text = base64.b64encode(b"no picture at all").decode()
    broken = {**picture(), "image_url": {"url": f"data:image/png;base64,{text}"}}
    task = ended(caller, caller.create("diffusers/ltx", content=[*TEXT, broken]))
    assert task["error"]["code"] == "invalid_input"
    assert "content[1] (first_frame)" in task["error"]["message"]


def test_a_model_that_starts_from_a_picture_refuses_a_text_alone(caller: Caller) -> None:
    answer = caller.post({"model": "diffusers/wan-image", "content": TEXT})
    assert answer.status_code == 422
    assert "first_frame" in answer.text


def test_every_denoising_step_moves_the_progress(caller: Caller) -> None:
    task = caller.create("diffusers/wan", frames=5, num_inference_steps=ENDLESS)
    seen: list[float] = []
    with caller.http.stream("GET", f"{GENERATIONS}/{task['id']}/events", timeout=120) as answer:
        for line in answer.iter_lines():
            if line.startswith("data:"):
                seen.append(json.loads(line.removeprefix("data:"))["progress"] or 0)
            if len(set(seen)) == 5:
                break
    caller.stop(task)
    assert seen == sorted(seen)
    assert seen[-1] < 1


def test_a_cancel_stops_the_work_at_the_next_step_and_keeps_the_model_loaded(
    server: ServerProcess, caller: Caller
) -> None:
    made(caller, "diffusers/wan", frames=5)
    before = children(server)
    task = caller.create("diffusers/wan", frames=5, num_inference_steps=ENDLESS)
    moved(caller, task)
    assert caller.cancel(task).status_code == 200
    assert caller.task(task["id"])["error"]["code"] == "cancelled"
    # Were the cancelled one not stopped, this one would wait for minutes.
    made(caller, "diffusers/wan", frames=5)
    assert children(server) == before


def test_a_killed_child_makes_the_task_run_again_to_the_same_video(
    server: ServerProcess, caller: Caller
) -> None:
    asked: dict[str, Any] = {"frames": 5, "num_inference_steps": 60, "seed": 5}
    undisturbed = made(caller, "diffusers/wan", **asked)
    victim = children(server)[-1]
    task = caller.create("diffusers/wan", **asked)
    until(lambda: caller.task(task["id"])["status"] == "running")
    os.kill(victim, signal.SIGKILL)
    after = ended(caller, task)
    assert after["status"] == "succeeded", after
    assert children(server)[-1] != victim
    entries = caller.get(f"{GENERATIONS}/{task['id']}/timeline").json()["data"]
    assert [entry["result"] for entry in entries if entry["kind"] == "render"] == ["released", "stored"]
    assert content(after) == content(undisturbed)


def test_no_pipeline_has_asked_the_network_for_anything(offline_python: str, network_notes: Path) -> None:
    assert not network_notes.exists(), network_notes.read_text()
    asking = "import socket; socket.create_connection(('localhost', 9))"
    done = subprocess.run([offline_python, "-c", asking], capture_output=True, text=True, check=False)
    assert "this process has no network" in done.stderr
    assert network_notes.read_text().startswith("socket.getaddrinfo")
    network_notes.unlink()


def test_a_child_never_outlives_a_server_that_is_killed(
    torch_python: str, models: Path, tmp_path: Path
) -> None:
    variables = {"MESHAPI_DIFFUSERS_MODELS": str(models), "MESHAPI_DIFFUSERS_PYTHON": torch_python}
    with serving(tmp_path / "data", **variables) as server:
        caller = server.caller()
        task = caller.create("diffusers/wan", frames=5, num_inference_steps=ENDLESS)
        moved(caller, task)
        (child,) = children(server)
        server.kill()
        until(lambda: gone(child))
