"""Callbacks: whether they are believed, and what they tell."""

import base64
import datetime
import time

import pytest
from sdk_support.vectors import at_least, cases
from standardwebhooks import Webhook

from meshapi import AsyncMeshAPI, MeshAPI, MeshAPIError, WebhookVerificationError, webhooks
from meshapi.errors import ConfigurationError
from meshapi.webhooks import Webhooks

SECRET = "whsec_bWVzaCBhcGkgdGVzdCBzZWNyZXQgMDEyMzQ1Njc4OQ=="
BODY = b'{"id": "task_1", "status": "succeeded", "content": {"video_url": "https://files.example/1.mp4"}}'


class Listed:
    """Headers as a framework without mappings has them: names may come twice."""

    def __init__(self, pairs):
        self._pairs = pairs

    def items(self):
        return [tuple(pair) for pair in self._pairs]


def _signed(body=BODY, secret=SECRET, seconds=None, id="evt_1"):  # noqa: A002 - as the header says
    """Headers made by the reference library of the standard."""
    moment = datetime.datetime.fromtimestamp(int(time.time() if seconds is None else seconds), datetime.UTC)
    signature = Webhook(secret).sign(id, moment, body.decode())
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": signature,
    }


def _seen(task):
    return {"id": task.id, "status": task.status, "video_url": task.video_url}


@pytest.mark.parametrize(("given", "want"), cases("webhooks"))
def test_webhooks(given, want):
    hooks = Webhooks(given["secrets"], clock=lambda: given["now"])
    arguments = (given["body"].encode(), Listed(given["headers"]))
    tolerance = {"tolerance": given["tolerance"]} if "tolerance" in given else {}
    if "error" not in want:
        hooks.verify(*arguments, **tolerance)
        assert at_least(_seen(hooks.parse(*arguments, **tolerance).task), want["task"]) == want["task"]
        return
    kind = ConfigurationError if want["error"] == "secret" else WebhookVerificationError
    with pytest.raises(kind) as caught:
        hooks.parse(*arguments, **tolerance)
    if kind is WebhookVerificationError:
        assert caught.value.error_code == f"webhook_{want['error']}"
    for secret in given["secrets"]:
        assert secret.removeprefix("whsec_") not in f"{caught.value!r} {caught.value}" or not secret[6:]


def test_what_the_reference_library_signs_is_believed_and_the_other_way_round():
    headers = _signed()
    event = webhooks.parse(BODY, headers, secret=SECRET)
    assert (event.id, event.timestamp) == ("evt_1", int(headers["webhook-timestamp"]))
    assert (event.task.id, event.task.video_url) == ("task_1", "https://files.example/1.mp4")
    assert Webhook(SECRET).verify(BODY, headers)["id"] == "task_1"


@pytest.mark.parametrize("length", [1, 24, 32, 64, 65])
def test_secrets_of_any_length_agree_with_the_reference_library(length):
    secret = "whsec_" + base64.b64encode(bytes(range(length))).decode()
    webhooks.verify(BODY, _signed(secret=secret), secret=secret)


def test_the_body_may_be_text():
    webhooks.verify(BODY.decode(), _signed(), secret=SECRET)


def test_a_parsed_body_is_refused_because_its_bytes_are_gone():
    with pytest.raises(TypeError, match="raw body, bytes or text, got dict"):
        webhooks.verify({"id": "task_1"}, _signed(), secret=SECRET)


def test_a_client_checks_with_its_own_secret_and_copies_keep_it(monkeypatch):
    monkeypatch.setenv("MESHAPI_WEBHOOK_SECRET", "whsec_AAAA")
    with MeshAPI(api_key="rsk_x", webhook_secret=SECRET) as client:
        assert client.webhooks.parse(BODY, _signed()).task.id == "task_1"
        client.with_options(max_retries=0).webhooks.verify(BODY, _signed())
        with pytest.raises(WebhookVerificationError):
            client.webhooks.verify(BODY, _signed(), secret="whsec_AAAA")


async def test_the_asynchronous_client_has_the_same(monkeypatch):
    async with AsyncMeshAPI(api_key="rsk_x", webhook_secret=[SECRET, "whsec_AAAA"]) as client:
        assert client.webhooks.parse(BODY, _signed()).task.status == "succeeded"


def test_the_environment_may_name_several_secrets(monkeypatch):
    monkeypatch.setenv("MESHAPI_WEBHOOK_SECRET", f"whsec_AAAA {SECRET}")
    webhooks.verify(BODY, _signed())
    with MeshAPI(api_key="rsk_x") as client:
        client.webhooks.verify(BODY, _signed())


def test_without_a_secret_it_says_where_one_could_come_from(monkeypatch):
    monkeypatch.delenv("MESHAPI_WEBHOOK_SECRET", raising=False)
    with pytest.raises(ConfigurationError, match="MESHAPI_WEBHOOK_SECRET"):
        webhooks.verify(BODY, _signed())


@pytest.mark.parametrize("tolerance", [0, -1, float("inf"), float("nan"), True, "300"])
def test_the_check_of_the_age_cannot_be_switched_off(tolerance):
    with pytest.raises(ConfigurationError, match="finite, positive"):
        webhooks.verify(BODY, _signed(), secret=SECRET, tolerance=tolerance)


def test_a_refusal_is_an_error_of_this_package_that_says_what_is_wrong():
    with pytest.raises(MeshAPIError, match="at most 300 s are allowed") as caught:
        webhooks.verify(BODY, _signed(seconds=time.time() - 1000), secret=SECRET)
    assert caught.value.error_code == "webhook_too_old"
