"""Which web pages of other origins may call the API from a browser (the Fetch standard's CORS).

Off by default. Callers name themselves by a key in a header, never by a cookie, so no credentials.
"""

from msgspec import Struct

from .call import Reply

_METHODS = "GET, HEAD, POST, PATCH, DELETE"
_REQUEST_HEADERS = (
    "Authorization, Content-Type, Idempotency-Key, If-None-Match, If-Range, Last-Event-ID, Prefer, Range,"
    " X-Mesh-Version, X-MeshAPI-SDK, X-Request-Id"
)
_ANSWER_HEADERS = (
    b"Content-Range, ETag, Idempotent-Replayed, RateLimit, RateLimit-Policy, Repr-Digest, Retry-After,"
    b" WWW-Authenticate, X-Mesh-Routing-Fallback, X-Mesh-Routing-Model, X-Mesh-Version, X-Request-Id"
)
_MAX_AGE = "7200"  # s; no browser keeps it longer


class CrossOrigin(Struct, frozen=True):
    """``origins`` as browsers spell them, ``https://app.example``; ``*`` stands for any."""

    origins: frozenset[str] = frozenset()

    def headers(self, origin: str | None) -> list[tuple[bytes, bytes]]:
        """What is added to an answer to a page of this origin."""
        if not self.origins:
            return []
        if "*" in self.origins:
            return [(b"access-control-allow-origin", b"*"), _EXPOSED]
        if origin is None or origin not in self.origins:
            return [_VARY]
        return [(b"access-control-allow-origin", origin.encode("latin-1")), _VARY, _EXPOSED]

    def preflight(self, origin: str | None, method: str, wanted: str | None) -> Reply | None:
        """The answer to a browser that asks whether it may ask; None when this is not such a question."""
        if method != "OPTIONS" or wanted is None or origin is None:
            return None
        if not ("*" in self.origins or origin in self.origins):
            return None
        headers = {
            "access-control-allow-methods": _METHODS,
            "access-control-allow-headers": _REQUEST_HEADERS,
            "access-control-max-age": _MAX_AGE,
        }
        return Reply(b"", 204, headers, media_type=None)


_VARY = (b"vary", b"Origin")
_EXPOSED = (b"access-control-expose-headers", _ANSWER_HEADERS)
