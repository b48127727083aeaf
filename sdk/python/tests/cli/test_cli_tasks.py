"""The commands on tasks and models: the real command, against a real server on this machine."""

from sdk_support.command import Command
from sdk_support.mesh import VIDEO, Task


def _task(mesh, number=1, seconds=0.0, **more):
    task = Task(f"task_{number}", {"model": "mesh/diorama-1"}, seconds or 0.001, **more)
    mesh.tasks[task.id] = task
    return task.id


def test_get_shows_a_task(meshapi, mesh):
    ran = meshapi.run("get", _task(mesh))
    assert ran.status == 0
    assert "id:         task_1\nstatus:     succeeded\nmodel:      mesh/diorama-1\n" in ran.out
    assert f"video:      {mesh.url}/files/task_1/video.mp4" in ran.out


def test_get_as_json_has_the_task_as_the_wire_has_it(meshapi, mesh):
    told = meshapi.run("get", _task(mesh), "--json").json()
    assert told["status"] == "succeeded"
    assert set(told["content"]) == {"video_url"}


def test_an_unknown_task_is_one_line_and_exit_status_1(meshapi):
    ran = meshapi.run("get", "task_none")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == "meshapi: There is no such task. (request req_mesh)\n"


def test_list_shows_the_newest_first_and_how_to_see_more(meshapi, mesh):
    for number in range(3):
        _task(mesh, number)
    ran = meshapi.run("list", "--limit", "2")
    assert [line.split()[:2] for line in ran.out.splitlines()] == [
        ["task_2", "succeeded"],
        ["task_1", "succeeded"],
    ]
    assert "3 in all; more with --after task_1" in ran.err
    assert meshapi.run("list", "--limit", "2", "--after", "task_1").out.split()[0] == "task_0"


def test_list_filters_reach_the_query(meshapi, mesh):
    meshapi.run(
        *("list", "--status", "failed", "--status", "running", "--model", "m/x", "--metadata", "shot=7"),
        *("--created-after", "2026-08-01T12:00:00Z", "--created-before", "2026-09-01T00:00:00Z"),
    )
    assert mesh.asked[0].query == [
        ("limit", "20"),
        ("status", "failed"),
        ("status", "running"),
        ("model", "m/x"),
        ("created_after", "2026-08-01T12:00:00Z"),
        ("created_before", "2026-09-01T00:00:00Z"),
        ("metadata[shot]", "7"),
    ]


def test_list_as_json_is_the_page(meshapi, mesh):
    _task(mesh)
    told = meshapi.run("list", "--json").json()
    assert (told["object"], told["total"], [task["id"] for task in told["data"]]) == ("list", 1, ["task_1"])


def test_a_malformed_filter_is_a_usage_error(meshapi, mesh):
    assert meshapi.run("list", "--metadata", "shot").status == 2
    assert meshapi.run("list", "--limit", "0").status == 2
    assert mesh.asked == []


def test_cancel_ends_a_task(meshapi, mesh):
    task_id = _task(mesh, seconds=60)
    assert meshapi.run("cancel", task_id).out == "task_1 is cancelled.\n"
    assert mesh.tasks[task_id].ended == "failed"
    again = meshapi.run("cancel", task_id)
    assert (again.status, "has ended" in again.err) == (1, True)


def test_delete_says_whether_it_cancelled_or_removed(meshapi, mesh):
    task_id = _task(mesh, seconds=60)
    assert "is cancelled" in meshapi.run("delete", task_id).out
    assert meshapi.run("delete", task_id, "--json").json()["deleted"] is True
    assert mesh.tasks == {}


def test_download_names_the_file_after_the_task(meshapi, mesh):
    ran = meshapi.run("download", _task(mesh))
    assert ran.out == "Saved task_1.mp4 (0.1 MB, checksum verified)\n"
    assert (meshapi.folder / "task_1.mp4").read_bytes() == VIDEO


def test_download_as_json_tells_the_checksum(meshapi, mesh):
    told = meshapi.run("download", _task(mesh), "-o", "lake.mp4", "--json").json()
    assert (told["output"], told["size"], len(told["sha256"])) == ("lake.mp4", len(VIDEO), 64)


def test_download_of_a_running_task_fails_and_leaves_no_file(meshapi, mesh):
    ran = meshapi.run("download", _task(mesh, seconds=60), "-o", "lake.mp4")
    assert (ran.status, ran.out) == (1, "")
    assert "still pending" in ran.err
    assert list(meshapi.folder.iterdir()) == []


def test_models_are_listed(meshapi, mesh):
    ran = meshapi.run("models", "--provider", "mesh")
    assert ran.out.splitlines() == ["mesh/diorama-1   Diorama 1", "sandbox/instant  Instant"]
    assert mesh.asked[0].query == [("type", "video"), ("provider", "mesh")]
    assert meshapi.run("models", "--json").json()[0]["id"] == "mesh/diorama-1"


def test_a_quote_tells_the_lines_and_the_sum_and_makes_nothing(meshapi, mesh):
    ran = meshapi.run("quote", "A serene mountain lake at sunrise", "--duration", "10")
    assert ran.status == 0
    assert [line.split() for line in ran.out.splitlines()] == [
        ["item", "quantity", "unit", "USD", "each", "USD"],
        ["video", "10", "second", "0.05", "0.50"],
        ["mesh/diorama-1:", "0.50", "USD"],
    ]
    assert mesh.paid == 0
    assert meshapi.run("quote", "x", "--json").json()["cost_usd"] == "0.25"
    assert "A price of tests." in meshapi.run("quote", "x", "--seed", "7").err


def test_a_quote_whose_price_is_unknown_says_so(meshapi):
    ran = meshapi.run("quote", "A lake", "--model", "m/x")
    assert (ran.status, ran.out) == (0, "m/x: unknown\n")
    assert "The price is unknown: the server gives no reason" in ran.err


def test_a_quote_of_a_server_without_quotes_is_an_error_in_one_line(hosted, tmp_path):
    ran = Command.against(hosted, tmp_path).run("quote", "A lake")
    assert (ran.status, ran.out, len(ran.err.splitlines())) == (1, "", 1)


def test_the_most_a_video_may_cost_reaches_the_request(meshapi, mesh):
    meshapi.run("generate", "A lake", "--max-cost", "0.50", "--no-wait")
    assert mesh.asked[0].json()["max_cost_usd"] == "0.50"


def test_a_timeline_is_a_table_of_what_happened(meshapi):
    task_id = meshapi.run("generate", "A lake", "--no-wait").out.strip()
    meshapi.run("wait", task_id)
    ran = meshapi.run("timeline", task_id)
    assert ran.status == 0
    rows = [line.split() for line in ran.out.splitlines()]
    assert rows[0] == ["at", "step", "try", "took", "where", "result"]
    assert rows[1] == ["0.000", "s", "created", "0.000", "s"]
    assert rows[2] == ["0.250", "s", "render", "1", "0.050", "s", "mesh", "succeeded", "[bold]done[/bold]"]
    assert rows[3][2:] == ["ended", "0.000", "s", "succeeded"]
    assert [row["kind"] for row in meshapi.run("timeline", task_id, "--json").json()["data"]] == [
        "created",
        "render",
        "ended",
    ]


def test_a_timeline_shows_what_goes_on(meshapi, mesh):
    mesh.seconds = 60
    task_id = meshapi.run("generate", "A lake", "--no-wait").out.strip()
    assert meshapi.run("timeline", task_id).out.splitlines()[2].split() == [
        *("0.250", "s", "render", "1", "mesh", "goes", "on")
    ]
