"""The URLs under which upstreams announce changes."""

import pytest

from meshapi_server.upstreams.callback_urls import CallbackURLs

TASK = "task_01M7YEC42B8V0TMX2JV5T1CXFW"
URLS = CallbackURLs("https://api.example.com/", b"secret")


def signature() -> str:
    made = URLS.make("byteplus", TASK)
    assert made is not None
    prefix = f"https://api.example.com/v1/upstreams/byteplus/callbacks/{TASK}/"
    assert made.startswith(prefix)
    return made.removeprefix(prefix)


def test_a_url_of_ours_is_known_again() -> None:
    assert URLS.allows("byteplus", TASK, signature())


@pytest.mark.parametrize(
    ("upstream", "task_id", "tail"),
    [("fal", TASK, ""), ("byteplus", TASK[:-1] + "X", ""), ("byteplus", TASK, "A"), ("byteplus", TASK, "é")],
)
def test_a_url_for_another_upstream_or_task_or_with_another_signature_is_not(
    upstream: str, task_id: str, tail: str
) -> None:
    assert not URLS.allows(upstream, task_id, signature() + tail)


def test_another_server_makes_other_urls() -> None:
    assert not CallbackURLs("https://api.example.com", b"other").allows("byteplus", TASK, signature())


def test_without_a_public_url_there_is_none() -> None:
    assert CallbackURLs(None, b"secret").make("byteplus", TASK) is None
