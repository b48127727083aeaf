"""What every answer says to browsers: nothing here is a page, nothing is to be guessed, framed or kept.

An answer that sets one of these headers itself keeps its own, as a page with scripts has to. Sources: the
Fetch standard (nosniff, Cross-Origin-Resource-Policy), Content Security Policy 3, Referrer Policy, RFC 9111.
"""

from collections.abc import Iterable

Headers = Iterable[tuple[bytes, bytes]]

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),  # addresses of results carry a signature
    (b"x-frame-options", b"DENY"),
    (b"cache-control", b"no-store"),
)
_DATA = (
    *_ALWAYS,
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_PLAYER_POLICY = (
    b"default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
)
# A video that is opened by its address is shown in a document of the browser's own, which needs that much;
# and videos are made to be embedded by other sites.
_MEDIA = (
    *_ALWAYS,
    (b"content-security-policy", _PLAYER_POLICY),
    (b"cross-origin-resource-policy", b"cross-origin"),
)
_MEDIA_TYPES = (b"video/", b"image/", b"audio/")


def missing(headers: Headers) -> list[tuple[bytes, bytes]]:
    """What an answer with these headers lacks. Names are lower case."""
    given = dict(headers)
    wanted = _MEDIA if given.get(b"content-type", b"").startswith(_MEDIA_TYPES) else _DATA
    return [each for each in wanted if each[0] not in given]


def transport_security(public_url: str) -> tuple[tuple[bytes, bytes], ...]:
    """RFC 6797, where the server is reached by https: browsers do not try anything else for a year."""
    if not public_url.startswith("https://"):
        return ()
    return ((b"strict-transport-security", b"max-age=31536000"),)
