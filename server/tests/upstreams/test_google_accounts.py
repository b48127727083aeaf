"""How Google's accounts get their tokens: signed, refreshed or from the machine, once and not more often."""

import base64
import json
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest
from aiohttp import web
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from meshapi_server.tasks.clock import system_clock
from meshapi_server.upstreams.contract import ContentItem, Deferred, Job, Look, Spec, Unserved
from meshapi_server.upstreams.enabled import close, enabled
from meshapi_server.upstreams.google.account import SCOPE, Account
from meshapi_server.upstreams.runner import HttpUpstream

from .stub import Stub, stub

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
OPERATION = "projects/p/locations/us-central1/publishers/google/models/veo-3.1-generate-001/operations/7"
TOKEN = "ya29.a-token-of-the-test"
PROMPT = ContentItem(kind="text", index=0, text="a paper boat")
JOB = Job(
    task_id="task_1",
    attempt=1,
    submission=1,
    model="veo-3.1-generate-001",
    spec=Spec(model="google/veo-3.1", content=(PROMPT,)),
    seed=1,
    submitted_at=0,
)


class Cloud:
    """Token endpoints and operations. ``status`` is that of the token endpoint."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.tokens: list[web.Request] = []
        self.authorisations: list[str | None] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if "token" in request.path:
            self.tokens.append(request)
            value = {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"}
            return web.json_response(value if self.status == 200 else {"error": "no"}, status=self.status)
        self.authorisations.append(request.headers.get("authorization"))
        return web.json_response({"name": OPERATION})


def service_account(served: Stub) -> dict[str, str]:
    value = {
        "type": "service_account",
        "project_id": "p",
        "client_email": "robot@p.iam.gserviceaccount.com",
        "private_key": PEM,
        "private_key_id": "key-1",
        "token_uri": f"{served.url}/token",
    }
    return {"MESHAPI_GOOGLE_SERVICE_ACCOUNT": json.dumps(value)}


def opened(served: Stub, environment: dict[str, str]) -> HttpUpstream:
    (upstream,) = enabled({**environment, "MESHAPI_GOOGLE_BASE_URL": served.url}, system_clock)
    return upstream


def decoded(part: str) -> Any:
    return msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


async def test_a_service_account_signs_for_its_token_and_keeps_it() -> None:
    cloud = Cloud()
    async with stub(cloud.answer) as served:
        upstream = opened(served, service_account(served))
        accepted = await upstream.submit(JOB)
        await upstream.poll([Look(reference=accepted.reference, job=JOB)])
        await close([upstream])
        audience = f"{served.url}/token"
    assert cloud.authorisations == [f"Bearer {TOKEN}"] * 2
    (asked,) = cloud.tokens
    form = parse_qs(await asked.text())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    head, claims, signature = form["assertion"][0].split(".")
    signed = f"{head}.{claims}".encode()
    given = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    KEY.public_key().verify(given, signed, padding.PKCS1v15(), hashes.SHA256())
    assert decoded(head) == {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
    said = decoded(claims)
    assert (said["iss"], said["scope"], said["aud"]) == ("robot@p.iam.gserviceaccount.com", SCOPE, audience)
    assert said["exp"] - said["iat"] == 3600
    assert abs(said["iat"] - system_clock() / 1000) < 60


async def test_a_users_account_refreshes_its_token() -> None:
    cloud = Cloud()
    async with stub(cloud.answer) as served:
        account = {
            "type": "authorized_user",
            "client_id": "client",
            "client_secret": "hidden-secret",
            "refresh_token": "hidden-token",
            "token_uri": f"{served.url}/token",
        }
        environment = {
            "MESHAPI_GOOGLE_SERVICE_ACCOUNT": json.dumps(account),
            "GOOGLE_CLOUD_PROJECT": "p",
        }
        upstream = opened(served, environment)
        await upstream.submit(JOB)
        await close([upstream])
    (asked,) = cloud.tokens
    assert parse_qs(await asked.text()) == {
        "grant_type": ["refresh_token"],
        "client_id": ["client"],
        "client_secret": ["hidden-secret"],
        "refresh_token": ["hidden-token"],
    }
    assert cloud.authorisations == [f"Bearer {TOKEN}"]


async def test_a_machine_in_the_cloud_is_asked_for_its_own_token() -> None:
    cloud = Cloud()
    async with stub(cloud.answer) as served:
        host = served.url.removeprefix("http://")
        upstream = opened(served, {"GCE_METADATA_HOST": host, "GOOGLE_CLOUD_PROJECT": "p"})
        await upstream.submit(JOB)
        await close([upstream])
    (asked,) = cloud.tokens
    assert asked.path == "/computeMetadata/v1/instance/service-accounts/default/token"
    assert asked.headers["metadata-flavor"] == "Google"
    assert cloud.authorisations == [f"Bearer {TOKEN}"]


@pytest.mark.parametrize(("status", "expected"), [(400, Unserved), (401, Unserved), (502, Deferred)])
async def test_an_account_that_gets_no_token_buys_nothing(status: int, expected: type[Exception]) -> None:
    cloud = Cloud(status)
    async with stub(cloud.answer) as served:
        upstream = opened(served, service_account(served))
        with pytest.raises(expected) as raised:
            await upstream.submit(JOB)
        await close([upstream])
    assert cloud.authorisations == []
    assert "PRIVATE KEY" not in repr(raised.value)


def test_an_account_shows_itself_to_nobody() -> None:
    text = json.dumps({"type": "service_account", "client_email": "a@b", "private_key": PEM})
    assert repr(Account.read(text)) == "Account(service_account)"
