"""Links that open without a login: signed, limited in time, bound to one file of one task."""

import base64
import hashlib
import hmac
from urllib.parse import quote, urlencode

from meshapi_server.tasks.clock import Clock

LIFETIME_SECONDS = 24 * 3600
# Expiries are rounded up to the hour, so that the same task read twice shows the same link (and ETag).
_ROUND_TO = 3600


class Links:
    """Makes and checks links under the configured public URL, never under a request's Host header."""

    def __init__(
        self, public_url: str, secret: bytes, clock: Clock, lifetime: int = LIFETIME_SECONDS
    ) -> None:
        self._public_url = public_url.rstrip("/")
        self._secret = secret
        self._clock = clock
        self._lifetime = lifetime

    def sign(self, task_id: str, name: str) -> str:
        """The absolute URL of a file, valid for at least the lifetime (seconds) from now."""
        end = self._clock() // 1000 + self._lifetime
        expires = -(-end // _ROUND_TO) * _ROUND_TO
        query = urlencode({"expires": expires, "signature": self._signature(task_id, name, expires)})
        return f"{self._public_url}/files/{quote(task_id, safe='')}/{quote(name, safe='')}?{query}"

    def allows(self, task_id: str, name: str, expires: str, signature: str) -> bool:
        """True for a link of ours that has not expired; compared in constant time."""
        if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
            return False
        expected = self._signature(task_id, name, int(expires))
        genuine = hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))
        return genuine and int(expires) > self._clock() // 1000

    def _signature(self, task_id: str, name: str, expires: int) -> str:
        message = f"{task_id}\n{name}\n{expires}".encode("utf-8", "surrogatepass")
        digest = hmac.new(self._secret, message, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
