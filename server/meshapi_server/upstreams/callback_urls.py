"""Where an upstream announces changes of a task: a URL that only we could have made.

The signature keeps strangers from making the server look all the time. An announcement itself decides
nothing: whatever it says, it only has the task looked at now.
"""

import base64
import hmac
from urllib.parse import quote

PATH = "/v1/upstreams/{upstream}/callbacks/{task_id}/{signature}"


class CallbackURLs:
    """Makes and checks these URLs. Without a public URL there are none: nobody out there could reach us."""

    def __init__(self, public_url: str | None, secret: bytes) -> None:
        self._public_url = public_url.rstrip("/") if public_url else None
        self._secret = secret

    def make(self, upstream: str, task_id: str) -> str | None:
        """The URL that is handed to the upstream with a submission."""
        if self._public_url is None:
            return None
        path = PATH.format(
            upstream=quote(upstream, safe=""),
            task_id=quote(task_id, safe=""),
            signature=self._signature(upstream, task_id),
        )
        return self._public_url + path

    def allows(self, upstream: str, task_id: str, signature: str) -> bool:
        """True for a URL of ours; compared in constant time."""
        expected = self._signature(upstream, task_id)
        return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))

    def _signature(self, upstream: str, task_id: str) -> str:
        digest = hmac.digest(self._secret, f"{upstream}\n{task_id}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
