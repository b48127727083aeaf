# Generated from _async/test_injected.py by generate_sync.py; edit that file, not this one.
# ruff: noqa: SIM117
"""An HTTP client of one's own: httpx2's or httpx's, with the same behaviour."""

import httpx
import httpx2
import pytest
from sdk_support.mesh import KEY, VIDEO
from sdk_support.scripted import Hangup, Say

from meshapi import APIConnectionError, APITimeoutError, MeshAPI, NotFoundError, RetryPolicy

QUICK = RetryPolicy(max_retries=3, initial_seconds=0.01, max_seconds=0.02)
LAKE = {"model": "mesh/diorama-1", "content": [{"type": "text", "text": "A serene mountain lake at sunrise"}]}
LIBRARIES = pytest.mark.parametrize("library", [httpx2, httpx], ids=["httpx2", "httpx"])


def _client(server, own, **more):
    return MeshAPI(base_url=server.url, api_key=KEY, http_client=own, **{"retry": QUICK, **more})


@LIBRARIES
def test_an_own_client_creates_waits_and_downloads_and_is_left_open(mesh, library, tmp_path):
    with library.Client(headers={"X-Tenant": "blue"}) as own:
        with _client(mesh, own) as client:
            done = client.videos.generate_and_wait(**LAKE, max_wait=20)
            assert (client.videos.download(done, tmp_path / "lake.mp4")).verified
        assert own.is_closed is False
    assert (tmp_path / "lake.mp4").read_bytes() == VIDEO
    assert {asked.headers["x-tenant"] for asked in mesh.asked} == {"blue"}


@LIBRARIES
def test_a_create_is_paid_once_whatever_happens_to_its_answer(mesh, hosted, library):
    with library.Client() as own:
        mesh.after += [Say(502), Hangup(), Say(504)]
        assert (_client(mesh, own).videos.generate(**LAKE)).id == "task_0001"
        hosted.after += [Hangup()]
        with pytest.raises(APIConnectionError) as caught:
            _client(hosted, own).videos.generate(**LAKE)
    assert (mesh.paid, hosted.paid, caught.value.task_may_exist) == (1, 1, True)


@LIBRARIES
def test_a_server_that_is_not_there_has_seen_nothing(library):
    with library.Client() as own:
        client = MeshAPI(base_url="http://127.0.0.1:1", api_key=KEY, http_client=own, retry=QUICK)
        with pytest.raises(APIConnectionError, match="cannot connect") as caught:
            client.videos.generate(**LAKE)
    assert caught.value.task_may_exist is False
    assert isinstance(caught.value.__cause__, library.ConnectError)


@LIBRARIES
@pytest.mark.parametrize("patience", [0.1, httpx2.Timeout(0.1), httpx.Timeout(0.1)], ids=repr)
def test_a_timeout_is_seconds_or_a_value_of_either_library(scripted, library, patience):
    scripted.play(Say(200, {}, delay=0.5))
    with library.Client() as own:
        with pytest.raises(APITimeoutError):
            _client(scripted, own).videos.retrieve("t", timeout=patience, max_retries=0)


@LIBRARIES
def test_an_id_stays_escaped_and_a_redirected_create_is_not_followed(scripted, library):
    scripted.play(Say(404), Say(307, headers={"Location": "/elsewhere"}))
    with library.Client(follow_redirects=True) as own:
        client = _client(scripted, own, max_retries=0)
        with pytest.raises(NotFoundError):
            client.videos.retrieve("../../models")
        with pytest.raises(Exception, match="redirected"):
            client.videos.generate(**LAKE)
    assert scripted.asked[0].path == "/v1/video/generations/..%2F..%2Fmodels"
    assert len(scripted.asked) == 2
