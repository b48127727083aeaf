"""Google's webhooks: signed by a key that Google publishes, or by a secret; all else is forged."""

import base64
import datetime
import json
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from standardwebhooks.webhooks import Webhook

from meshapi_server.upstreams.adapter import Announcement, Credentials, Forged, Heard, Unreadable
from meshapi_server.upstreams.google import GOOGLE
from meshapi_server.upstreams.google.callbacks import claims_of
from meshapi_server.upstreams.http import HttpResponse

from .stub import perform

NOW = 1_800_000_000  # s
EVENT = json.dumps({"type": "interaction.completed", "version": "v1", "data": {"id": "v1_abc"}}).encode()
SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)

# RFC 7515, appendix A.2: a token, the key that signed it, and what it says.
RFC_TOKEN = (
    "eyJhbGciOiJSUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9"
    "uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN"
    "9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIh"
    "WkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
)
RFC_KEY = {
    "kty": "RSA",
    "e": "AQAB",
    "n": (
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR"
        "T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS"
        "-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2et"
        "hFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
    ),
}


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(claims: dict[str, Any], kid: str = "one", algorithm: str = "RS256") -> str:
    head = {"alg": algorithm, "kid": kid}
    signed = f"{encoded(msgspec.json.encode(head))}.{encoded(msgspec.json.encode(claims))}"
    return f"{signed}.{encoded(KEY.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def jwk(kid: str = "one") -> dict[str, str]:
    numbers = KEY.public_key().public_numbers()
    return {"kty": "RSA", "kid": kid, "n": encoded(numbers.n.to_bytes(256)), "e": encoded(b"\x01\x00\x01")}


def hear(signature: str, *, at: int = NOW, body: bytes = EVENT, keys: Any = None) -> Heard:
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": signature}
    announcement = Announcement(
        method="POST", path="/hook", query="", headers=headers, body=body, received_at=NOW * 1000
    )
    adapter = GOOGLE.build({"key": "k"})
    talk = adapter.hear(announcement, Credentials({"webhook_secret": SECRET}))
    answer = HttpResponse(status=200, body=msgspec.json.encode({"keys": [jwk()] if keys is None else keys}))
    _, heard = perform(talk, *([] if signature.startswith("v1,") else [answer]))
    assert isinstance(heard, Heard)
    return heard


def test_the_published_vector_of_rs256_verifies() -> None:
    assert claims_of(RFC_TOKEN, [RFC_KEY])["iss"] == "joe"
    with pytest.raises(Forged):
        claims_of(RFC_TOKEN, [{**RFC_KEY, "n": jwk()["n"]}])


def test_a_webhook_of_one_request_is_verified_by_googles_published_key() -> None:
    assert hear(token({"exp": NOW + 60})) == Heard(verified=True, reference="v1_abc")


def test_a_webhook_of_the_project_is_verified_by_its_secret() -> None:
    moment = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
    signature = Webhook(SECRET).sign("msg_1", moment, EVENT.decode())
    assert hear(f"v1,{base64.b64encode(b'of an older secret').decode()} {signature}").verified
    with pytest.raises(Forged):
        hear(signature, body=EVENT + b" ")


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "a.b.c",
        token({"exp": NOW + 60}, kid="unknown"),
        token({"exp": NOW + 60}, algorithm="none"),
        token({"exp": NOW - 3600}),
        token({"exp": NOW + 60})[:-8] + "AAAAAAAA",
        "v1,AAAA",
    ],
)
def test_what_google_did_not_sign_is_forged(signature: str) -> None:
    with pytest.raises(Forged):
        hear(signature)


def test_a_webhook_that_is_old_is_forged_though_its_signature_fits() -> None:
    with pytest.raises(Forged, match="timestamp"):
        hear(token({"exp": NOW + 60}), at=NOW - 301)


def test_an_event_without_an_id_cannot_be_read() -> None:
    with pytest.raises(Unreadable):
        hear(token({"exp": NOW + 60}), body=b'{"type": "interaction.completed"}')
