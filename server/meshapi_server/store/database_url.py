"""Database URLs as they may be shown."""

import re

# Up to the last @, since a password that should have been escaped may hold a slash, a colon or an @.
_LOGIN = re.compile(r"^([A-Za-z0-9+.-]+://[^:/@?]*):.*@", re.DOTALL)
_PASSWORD = re.compile(r"(?i)([?&](?:password|sslpassword|passfile)=)[^&]*")


def shown(url: str) -> str:
    """The URL without a password."""
    return _PASSWORD.sub(r"\1…", _LOGIN.sub(r"\1:…@", url))
