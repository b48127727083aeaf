"""Signatures that strangers send: refused, in the one way that refusals have, whatever they look like."""

import base64
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from meshapi import MeshAPIError
from meshapi import webhooks as sdk
from meshapi_server.callbacks import signing
from meshapi_server.files.links import Links
from meshapi_server.tasks import ids
from meshapi_server.upstreams.adapter import Announcement, Forged
from meshapi_server.upstreams.callback_urls import CallbackURLs
from meshapi_server.upstreams.fal import signature as fal
from meshapi_server.upstreams.google import callbacks as google
from meshapi_server.upstreams.replicate import signature as replicate

from .conftest import FUZZED, Spoken, sound

NOW = 1_784_000_000_000
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
SIGNED = [
    "webhook-id", "webhook-timestamp", "webhook-signature",
    "x-fal-webhook-request-id", "x-fal-webhook-user-id", "x-fal-webhook-timestamp", "x-fal-webhook-signature",
]  # fmt: skip
stamps = some.sampled_from([str(NOW // 1000), "0", "9" * 5000, "-1", "1e9", "\u0661", " 1784000000 "])
signatures = some.one_of(
    some.text(max_size=60),
    some.binary(max_size=64).map(lambda raw: raw.hex()),
    some.binary(max_size=40).map(lambda raw: "v1," + base64.b64encode(raw).decode()),
    some.lists(
        some.binary(max_size=20).map(lambda raw: base64.urlsafe_b64encode(raw).decode()), max_size=4
    ).map(".".join),
)
headers = some.dictionaries(some.sampled_from(SIGNED), stamps | signatures, max_size=7)
everything = some.fixed_dictionaries({name: stamps if "stamp" in name else signatures for name in SIGNED})
PUBLISHED: list[Any] = [
    {},
    {"keys": None},
    {"keys": [1, {}, {"x": "*"}, {"x": base64.urlsafe_b64encode(b"p" * 32).decode(), "crv": "Ed25519"}]},
]


def announced(lines: Mapping[str, str], body: bytes) -> Announcement:
    return Announcement(method="POST", path="/", query="", headers=lines, body=body, received_at=NOW)


def check_fal(announcement: Announcement, published: Any) -> None:
    fal.check_headers(announcement)
    fal.check_signature(announcement, published)


def check_replicate(announcement: Announcement, published: Any) -> None:
    replicate.check_headers(announcement)
    replicate.check_signature(announcement, SECRET)


def check_google(announcement: Announcement, published: Any) -> None:
    google._check_time(announcement)
    signature = announcement.headers.get("webhook-signature", "")
    keys = published.get("keys")
    google.claims_of(signature, [key for key in keys or () if isinstance(key, dict)])


@FUZZED
@given(headers | everything, some.binary(max_size=60), some.sampled_from(PUBLISHED))
@pytest.mark.parametrize("check", [check_fal, check_replicate, check_google])
def test_an_upstreams_callback_without_its_signature_is_forged_and_nothing_worse(
    check: Callable[[Announcement, Any], None], lines: dict[str, str], body: bytes, published: Any
) -> None:
    with pytest.raises(Forged):
        check(announced(lines, body), published)


@FUZZED
@given(headers | everything, some.binary(max_size=60))
def test_the_sdk_refuses_a_callback_with_one_kind_of_error(lines: dict[str, str], body: bytes) -> None:
    with pytest.raises(MeshAPIError):
        sdk.Webhooks(SECRET, clock=lambda: NOW / 1000).parse(body, lines)


@FUZZED
@given(some.binary(max_size=60), some.data())
def test_one_bit_makes_a_callback_another(body: bytes, data: some.DataObject) -> None:
    made = signing.headers([b"k" * 32], "evt_1", NOW // 1000, body)
    verify = sdk.Webhooks(SECRET, clock=lambda: NOW / 1000).verify
    verify(body, made)
    damaged = bytearray(base64.b64decode(made["webhook-signature"].removeprefix("v1,")))
    damaged[data.draw(some.integers(0, 31))] ^= 1 << data.draw(some.integers(0, 7))
    with pytest.raises(MeshAPIError):
        verify(body, {**made, "webhook-signature": "v1," + base64.b64encode(damaged).decode()})
    with pytest.raises(MeshAPIError):
        verify(body + b" ", made)


@FUZZED
@given(some.text(max_size=30), some.text(max_size=20), some.text(max_size=30) | stamps, signatures)
def test_a_link_that_the_server_did_not_make_opens_nothing(
    task_id: str, name: str, expires: str, signature: str
) -> None:
    assert not Links("https://mesh.example", b"secret", lambda: NOW).allows(task_id, name, expires, signature)


@FUZZED
@given(some.text(max_size=20), some.text(max_size=30), signatures)
def test_an_upstreams_address_that_the_server_did_not_make_wakes_nobody(
    upstream: str, task_id: str, signature: str
) -> None:
    assert not CallbackURLs("https://mesh.example", b"secret").allows(upstream, task_id, signature)


@FUZZED
@given(some.text(max_size=20), some.text(max_size=20), signatures, some.text(max_size=20), headers)
def test_strangers_who_guess_addresses_are_told_that_nothing_is_there(
    spoken: Spoken, name: str, expires: str, signature: str, upstream: str, lines: dict[str, str]
) -> None:
    task = f"task_{ids.ulid()}"
    wire = [(key.encode(), value.encode("utf-8", "replace")) for key, value in lines.items()]
    for path in (f"/files/{task}/{name}", f"/v1/upstreams/{upstream}/callbacks/{task}/{signature}"):
        path = path.encode("utf-8", "replace").decode()
        method = "GET" if path.startswith("/files") else "POST"
        answer = spoken.ask(method, path, query=b"expires=1&signature=x", headers=wire, body=b"{}")
        sound(answer)
        assert answer.status >= 400
