"""Signatures that the published libraries of Standard Webhooks accept, and the contract's vectors."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from standardwebhooks import Webhook, WebhookVerificationError

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.upstreams.published_node import NODE, NPM, PLACE

from meshapi import webhooks as sdk
from meshapi_server.callbacks import signing
from meshapi_server.callbacks.ports import SigningSecret

PACKAGE = "standardwebhooks@1.1.1"
VERIFY = """
const { Webhook } = require("standardwebhooks");
const read = require("fs").readFileSync(0, "utf8");
for (const each of JSON.parse(read)) {
  let verdict = "believed";
  try { new Webhook(each.secret).verify(each.body, each.headers); } catch (fault) { verdict = "refused"; }
  console.log(verdict);
}
"""


def vectors() -> list[dict[str, Any]]:
    path = Path(__file__).parents[3] / "contract" / "vectors" / "webhooks.json"
    return [each for each in json.loads(path.read_text("utf-8"))["cases"] if genuine(each)]


def genuine(vector: dict[str, Any]) -> bool:
    """Whether a vector is a callback as a server makes it: one secret, its three headers, to be believed."""
    return "task" in vector["want"] and len(vector["given"]["secrets"]) == 1


def key_of(shown: str) -> bytes:
    (key,) = sdk._keys(shown)
    return key


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector["description"])
def test_the_contracts_vectors_come_out_of_our_signing(vector: dict[str, Any]) -> None:
    given_headers = {name.lower(): value for name, value in vector["given"]["headers"]}
    made = signing.headers(
        [key_of(vector["given"]["secrets"][0])],
        given_headers["webhook-id"],
        int(given_headers["webhook-timestamp"]),
        vector["given"]["body"].encode(),
    )
    wanted = given_headers["webhook-signature"].replace(",v1,", " v1,").split()
    assert made["webhook-signature"].rstrip("=") in {each.rstrip(",").rstrip("=") for each in wanted}


def test_the_vectors_are_there() -> None:
    assert len(vectors()) >= 8


@given(some.binary(min_size=1, max_size=64), some.text().map(json.dumps).map(str.encode))
def test_pythons_library_believes_what_we_sign_and_nothing_else(secret: bytes, body: bytes) -> None:
    headers = signing.headers([secret], "evt_1", int(time.time()), body)
    Webhook(signing.shown(secret)).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(signing.shown(secret)).verify(body + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(signing.shown(secret + b"x")).verify(body, headers)


@pytest.fixture(scope="module")
def npm() -> Path:
    """A folder of the environment's with npm's library in it, got by the environment's own npm."""
    place = PLACE / "standardwebhooks"
    if not (place / "node_modules" / "standardwebhooks").is_dir():
        place.mkdir(parents=True, exist_ok=True)
        (place / "package.json").write_text('{"private": true}')
        options = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(place)]
        made = subprocess.run(
            [NODE, NPM, "install", *options, PACKAGE],
            capture_output=True,
            text=True,
            check=False,
            timeout=150,
        )
        if made.returncode:
            pytest.skip(f"npm cannot install {PACKAGE}: {made.stderr.strip()[:300] or made.returncode}")
    return place


def test_the_library_of_npm_believes_what_we_sign_and_nothing_else(npm: Path) -> None:
    secret, other = b"s" * signing.SECRET_BYTES, b"t" * signing.SECRET_BYTES
    body = '{"id":"task_1","status":"failed","error":{"message":"夕焼け 🌅"}}'
    headers = signing.headers([other, secret], "evt_1", int(time.time()), body.encode())
    cases = [
        {"secret": signing.shown(secret), "headers": headers, "body": body},
        {"secret": signing.shown(other), "headers": headers, "body": body},
        {"secret": signing.shown(b"u" * 32), "headers": headers, "body": body},
        {"secret": signing.shown(secret), "headers": headers, "body": body + " "},
    ]
    told = subprocess.run(
        [NODE, "-e", VERIFY], input=json.dumps(cases), capture_output=True, text=True, check=True, cwd=npm
    )
    assert told.stdout.split() == ["believed", "believed", "refused", "refused"]


def test_a_message_signed_with_two_secrets_is_believed_by_holders_of_either() -> None:
    old, new = b"o" * 32, b"n" * 32
    headers = signing.headers([new, old], "evt_1", int(time.time()), b"{}")
    for secret in (old, new):
        Webhook(signing.shown(secret)).verify(b"{}", headers)


def test_no_secret_is_in_the_words_for_a_secret() -> None:
    secret = SigningSecret(value=b"0123456789", created_at=1)
    assert "0123456789" not in f"{secret!r} {secret}"
