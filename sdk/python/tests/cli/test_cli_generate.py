"""``meshapi generate`` and ``meshapi wait``: the real command, against a real server on this machine."""

import base64
import os
import pty
import signal
import time

from sdk_support.command import Command
from sdk_support.mesh import VIDEO
from sdk_support.scripted import Hangup, Say

PROMPT = "A serene mountain lake at sunrise"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def test_a_prompt_becomes_a_file(meshapi, mesh):
    ran = meshapi.run("generate", PROMPT, "-o", "lake.mp4")
    assert (ran.status, ran.out) == (0, "Saved lake.mp4 (0.1 MB, checksum verified)\n")
    assert (meshapi.folder / "lake.mp4").read_bytes() == VIDEO
    assert "task_0001: running" in ran.err
    assert mesh.asked[0].json() == {"model": "mesh/diorama-1", "content": [{"type": "text", "text": PROMPT}]}


def test_without_a_file_the_url_is_printed_and_nothing_else(meshapi, mesh):
    ran = meshapi.run("generate", PROMPT)
    assert ran.out == f"{mesh.url}/files/task_0001/video.mp4?signature=abc\n"


def test_every_option_reaches_the_request(meshapi, mesh):
    (meshapi.folder / "first.png").write_bytes(PNG)
    ran = meshapi.run(
        *("generate", PROMPT, "--model", "m/x", "--duration", "5", "--resolution", "720p", "--ratio", "16:9"),
        *("--seed", "0", "--no-audio", "--camera-fixed", "--no-wait"),
        *("--image", "first.png", "--image", "https://a.example/last.jpg"),
    )
    assert ran.status == 0
    uri = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    assert mesh.asked[0].json() == {
        "model": "m/x",
        "content": [
            {"type": "text", "text": PROMPT},
            {"type": "image_url", "image_url": {"url": uri}, "role": "first_frame"},
            {"type": "image_url", "image_url": {"url": "https://a.example/last.jpg"}, "role": "last_frame"},
        ],
        "duration": 5,
        "resolution": "720p",
        "ratio": "16:9",
        "seed": 0,
        "generate_audio": False,
        "camera_fixed": True,
    }


def test_three_images_are_references(meshapi, mesh):
    images = [f"https://a.example/{number}.png" for number in range(3)]
    meshapi.run("generate", PROMPT, "--no-wait", *(part for image in images for part in ("--image", image)))
    assert [item.get("role") for item in mesh.asked[0].json()["content"]] == [None] + ["reference_image"] * 3


def test_a_dash_reads_the_prompt_from_standard_input(meshapi, mesh):
    assert meshapi.run("generate", "-", "--no-wait", stdin=f"{PROMPT}\n").status == 0
    assert mesh.asked[0].json()["content"] == [{"type": "text", "text": PROMPT}]


def test_json_is_one_document_on_standard_output(meshapi):
    ran = meshapi.run("generate", PROMPT, "--json", "-o", "lake.mp4")
    told = ran.json()
    assert (told["id"], told["status"], told["output"]) == ("task_0001", "succeeded", "lake.mp4")
    assert told["content"]["video_url"].startswith("http://")


def test_no_wait_prints_the_id_and_how_to_wait(meshapi, mesh):
    ran = meshapi.run("generate", PROMPT, "--no-wait")
    assert ran.out == "task_0001\n"
    assert "meshapi wait task_0001 -o video.mp4" in ran.err
    assert len(mesh.asked) == 1


def test_no_wait_with_an_output_file_is_a_usage_error_before_anything_is_paid(meshapi, mesh):
    ran = meshapi.run("generate", PROMPT, "--no-wait", "-o", "lake.mp4")
    assert (ran.status, mesh.paid) == (2, 0)


def test_an_output_that_cannot_be_written_is_refused_before_anything_is_paid(meshapi, mesh):
    for path in ("missing/lake.mp4", "."):
        ran = meshapi.run("generate", PROMPT, "-o", path)
        assert ran.status == 2
        assert "director" in ran.err
    assert mesh.paid == 0


def test_an_image_that_is_not_there_or_no_picture_is_refused_before_anything_is_paid(meshapi, mesh):
    (meshapi.folder / "notes.txt").write_text("hello")
    for image in ("missing.png", "notes.txt"):
        ran = meshapi.run("generate", PROMPT, "--image", image)
        assert ran.status == 2
        assert image in ran.err
    assert mesh.paid == 0


def test_a_failed_task_is_one_line_and_exit_status_3(meshapi, mesh):
    mesh.fail_with = {"code": "content_policy_violation", "message": "Refused.\n\x1b[31mred"}
    ran = meshapi.run("generate", PROMPT, "-o", "lake.mp4")
    assert (ran.status, ran.out) == (3, "")
    last = ran.err.splitlines()[-1]
    assert last == "meshapi: Task task_0001 ended failed: content_policy_violation: Refused. [31mred"
    assert not (meshapi.folder / "lake.mp4").exists()


def test_a_failed_task_with_json_is_still_one_document(meshapi, mesh):
    mesh.fail_with = {"code": "invalid_input", "message": "no"}
    ran = meshapi.run("generate", PROMPT, "--json")
    assert (ran.status, ran.json()["error"]["code"]) == (3, "invalid_input")


def test_a_wait_that_runs_out_is_exit_status_4_and_says_how_to_go_on(meshapi, mesh):
    mesh.seconds = 60
    ran = meshapi.run("generate", PROMPT, "-o", "my lake.mp4", "--timeout", "0.3")
    assert (ran.status, ran.out) == (4, "")
    assert "meshapi wait task_0001 -o 'my lake.mp4'" in ran.err
    assert mesh.tasks["task_0001"].ended is None


def test_ctrl_c_leaves_the_task_running_and_says_how_to_go_on(meshapi, mesh):
    mesh.seconds = 60
    process = meshapi.start("generate", PROMPT, "-o", "lake.mp4")
    try:
        told = process.stderr.readline() + process.stderr.readline()
        assert "task_0001" in told
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, out) == (130, "")
    assert "meshapi wait task_0001 -o lake.mp4" in err
    assert "Traceback" not in err
    assert mesh.tasks["task_0001"].ended is None
    assert {asked.method for asked in mesh.asked[1:]} == {"GET"}


def test_wait_goes_on_and_stores_the_file(meshapi, mesh):
    mesh.seconds = 0.5
    task_id = meshapi.run("generate", PROMPT, "--no-wait").out.strip()
    ran = meshapi.run("wait", task_id, "-o", "lake.mp4")
    assert ran.status == 0
    assert (meshapi.folder / "lake.mp4").read_bytes() == VIDEO
    assert mesh.paid == 1


def test_a_terminal_shows_a_bar_with_the_queue_and_the_percentage(meshapi, mesh):
    mesh.seconds = 600  # of which it waits for a third; each stage lasts until it was seen
    stages = [b"1 ahead in the queue", b"running"]
    leader, follower = pty.openpty()
    process = meshapi.start("generate", PROMPT, stderr=follower)
    os.close(follower)
    shown = b""
    try:
        while chunk := _read(leader):
            shown += chunk
            if stages and stages[0] in shown:
                stages.pop(0)
                mesh.tasks["task_0001"].created -= 400
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.stdout.close()
        os.close(leader)
    assert stages == []
    assert b"%" in shown


def _read(descriptor):
    try:
        return os.read(descriptor, 4096)
    except OSError:  # the other end is closed
        return b""


def test_a_lost_create_says_that_the_task_may_exist(hosted, tmp_path):
    hosted.after.append(Hangup())
    ran = Command.against(hosted, tmp_path).run("generate", PROMPT)
    assert (ran.status, ran.out, hosted.paid) == (1, "", 1)
    assert "task may exist" in ran.err


def test_a_refusal_is_one_line_with_the_request_id(meshapi, mesh):
    error = {"code": "validation_error", "message": "duration: 99 is not offered; use 5 or 10"}
    mesh.instead.append(Say(422, {"error": error, "request_id": "req_7"}))
    ran = meshapi.run("generate", PROMPT, "--duration", "99", "--json")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == "meshapi: duration: 99 is not offered; use 5 or 10 (request req_7)\n"


def test_dropped_parameters_are_remarked_on(meshapi, mesh):
    mesh.instead.append(Say(200, {"id": "task_x", "status": "pending", "unsupported_params": ["seed"]}))
    ran = meshapi.run("generate", PROMPT, "--seed", "1", "--no-wait")
    assert ran.out == "task_x\n"
    assert "mesh/diorama-1 has no seed" in ran.err


def test_it_works_against_the_hosted_service(hosted, tmp_path):
    started = time.monotonic()
    ran = Command.against(hosted, tmp_path).run("generate", PROMPT, "-o", "lake.mp4")
    assert (ran.status, ran.out) == (0, "Saved lake.mp4 (0.1 MB)\n")
    assert (tmp_path / "lake.mp4").read_bytes() == VIDEO
    assert time.monotonic() - started < 20
