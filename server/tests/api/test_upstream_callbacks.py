"""Announcements of upstreams: anybody may knock, only genuine URLs have a task looked at."""

from ..serving import Caller, error


def test_an_announcement_under_a_forged_url_is_not_found(caller: Caller) -> None:
    task = caller.create("sandbox/fails")
    path = f"/v1/upstreams/sandbox/callbacks/{task['id']}/AAAAAAAAAAAAAAAAAAAAAA"
    error(caller.post({"status": "succeeded"}, path), 404, "not_found")


def test_the_address_takes_nothing_but_announcements(caller: Caller) -> None:
    path = "/v1/upstreams/sandbox/callbacks/task_1/AAAA"
    error(caller.get(path), 405, "method_not_allowed")
