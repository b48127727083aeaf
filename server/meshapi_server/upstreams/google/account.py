"""Google Cloud accounts: how a short-lived access token is got for one.

Sources: RFC 7523 (JWT bearer grants) for service accounts, RFC 6749 section 6 for the refresh token of a
user, the metadata server of Google Cloud's machines.
"""

import base64
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from meshapi_server.upstreams.adapter import HttpRequest, HttpResponse, Login, Talk, TaskError, Unserved
from meshapi_server.upstreams.http import get
from meshapi_server.upstreams.refusals import Unclear

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_TOKENS = "https://oauth2.googleapis.com/token"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_METADATA = "/computeMetadata/v1/instance/service-accounts/default/token"
_LASTS = 3_600  # s
_REFUSED = frozenset({400, 401, 403})


class Account(Struct, frozen=True, kw_only=True):
    """A service account, or a user who logged in with Google's tool. ``repr`` shows its kind only."""

    kind: str
    project: str = ""
    email: str = ""
    key: str = ""  # PEM
    key_id: str = ""
    client_id: str = ""
    client_secret: str = ""
    refresh_token: str = ""
    token_url: str = _TOKENS

    def __repr__(self) -> str:
        return f"Account({self.kind})"

    @classmethod
    def read(cls, text: str) -> "Account":
        """An account from the JSON of its file. Raises ValueError, without a word of the text."""
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            value = None
        if not isinstance(value, dict):
            raise ValueError("the Google account is no JSON object")
        kind = value.get("type")
        if kind == "service_account":
            account = cls(
                kind=kind,
                project=_text(value, "project_id"),
                email=_text(value, "client_email"),
                key=_text(value, "private_key"),
                key_id=_text(value, "private_key_id"),
                token_url=_text(value, "token_uri") or _TOKENS,
            )
            needed = {"client_email": account.email, "private_key": account.key}
        elif kind == "authorized_user":
            account = cls(
                kind=kind,
                project=_text(value, "quota_project_id"),
                client_id=_text(value, "client_id"),
                client_secret=_text(value, "client_secret"),
                refresh_token=_text(value, "refresh_token"),
                token_url=_text(value, "token_uri") or _TOKENS,
            )
            needed = {"client_id": account.client_id, "refresh_token": account.refresh_token}
        else:
            raise ValueError("the Google account's type is neither service_account nor authorized_user")
        for name, given in needed.items():
            if not given:
                raise ValueError(f"the Google account has no {name}")
        return account


def login(account: Account, now: int) -> Talk[Login]:
    """A token for the account; ``now`` is ms since the epoch. Raises Unserved when it is refused."""
    if account.kind == "service_account":
        fields = {"grant_type": _GRANT, "assertion": _assertion(account, now // 1000)}
    else:
        fields = {
            "grant_type": "refresh_token",
            "client_id": account.client_id,
            "client_secret": account.client_secret,
            "refresh_token": account.refresh_token,
        }
    response = yield HttpRequest(
        method="POST",
        url=account.token_url,
        headers=(("content-type", "application/x-www-form-urlencoded"),),
        body=urlencode(fields).encode(),
        authorised=False,
        harmless=True,
    )
    return _login(response, now)


def metadata_login(host: str, now: int) -> Talk[Login]:
    """A token of the machine's own account."""
    headers = (("metadata-flavor", "Google"),)
    response = yield get(f"http://{host}{_METADATA}", headers=headers, authorised=False, harmless=True)
    return _login(response, now)


def _login(response: HttpResponse, now: int) -> Login:
    if response.status in _REFUSED:
        message = "Google refused this server's account."
        raise Unserved(TaskError(code="upstream_error", message=message, charged="no"))
    if not response.ok:
        raise Unclear(f"Google's token endpoint answered HTTP {response.status}")
    answer = response.object()
    token, lasts = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(token, str) or not token:
        raise Unclear("Google's token endpoint gave no token")
    seconds = lasts if isinstance(lasts, int) else _LASTS
    return Login(token=token, expires_at=now + seconds * 1000)


def _assertion(account: Account, now: int) -> str:
    """A JWT that the account's key signed, good for an hour."""
    header = {"alg": "RS256", "typ": "JWT", "kid": account.key_id}
    claims = {
        "iss": account.email,
        "scope": SCOPE,
        "aud": account.token_url,
        "iat": now,
        "exp": now + _LASTS,
    }
    signed = f"{_encoded(msgspec.json.encode(header))}.{_encoded(msgspec.json.encode(claims))}"
    return f"{signed}.{_encoded(_signature(account, signed.encode()))}"


def _signature(account: Account, data: bytes) -> bytes:
    # Imported here, so that a server without Google accounts needs no cryptography.
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    key = serialization.load_pem_private_key(account.key.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("the Google account's private key is no RSA key")
    return key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _text(value: dict[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""
