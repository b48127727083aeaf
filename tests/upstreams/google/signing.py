"""A key that signs JWTs with RS256, and shows its public half as a JWK (RFC 7515, RFC 7517)."""

import base64
import json
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


class SigningKey:
    """Made when it is first needed."""

    kid = "fake-1"

    @cached_property
    def private(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def token(self, claims: dict[str, Any]) -> str:
        """A JWT of these claims."""
        head = {"alg": "RS256", "typ": "JWT", "kid": self.kid}
        signed = ".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
        signature = self.private.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_encoded(signature)}"

    def public(self) -> dict[str, str]:
        """The key as it is published."""
        numbers = self.private.public_key().public_numbers()
        return {
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "kid": self.kid,
            "n": _encoded(numbers.n.to_bytes(256)),
            "e": _encoded(numbers.e.to_bytes(3)),
        }


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
