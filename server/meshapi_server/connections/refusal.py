"""Answers to what never becomes a request: in the same envelope as all others, and the last ones."""

from http import HTTPStatus

from msgspec import Struct

from meshapi_server.api.call import VERSIONS, RawHeaders, header_of, request_id_of
from meshapi_server.api.errors import APIError, ErrorCode
from meshapi_server.api.secure_headers import missing


class Refusal(Struct, frozen=True):
    """Why a connection is closed. ``linger``: its client is probably still sending."""

    status: int
    code: ErrorCode
    message: str
    retry_after: int | None = None
    linger: bool = False

    def encoded(self, asked: RawHeaders = ()) -> bytes:
        """The whole answer, head and body, to a request of whose headers these have come."""
        request_id = request_id_of(asked)
        version = header_of(asked, b"x-mesh-version")
        body = APIError(self.code, self.message).body(request_id)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"x-request-id", request_id.encode()),
            (b"x-mesh-version", (version if version in VERSIONS else VERSIONS[0]).encode()),
            (b"connection", b"close"),
        ]
        if self.retry_after is not None:
            headers.append((b"retry-after", str(self.retry_after).encode()))
        lines = [name + b": " + value for name, value in (*headers, *missing(headers))]
        phrase = HTTPStatus(self.status).phrase.encode()
        first = b"HTTP/1.1 %d %s" % (self.status, phrase)
        return b"\r\n".join([first, *lines, b"", body])


NOT_HTTP = Refusal(400, "invalid_request", "This is no valid HTTP/1.1 request.", linger=True)
TARGET_TOO_LONG = Refusal(414, "invalid_request", "The address of the request is too long.", linger=True)
HEAD_TOO_LARGE = Refusal(
    431, "invalid_request", "The headers of the request are too large or too many.", linger=True
)
TOO_SLOW = Refusal(408, "invalid_request", "The request did not arrive in time.", linger=True)
FULL = Refusal(503, "provider_not_available", "Too many connections are open. Try again.", 1)
