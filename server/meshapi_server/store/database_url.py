"""Database URLs as they may be shown."""

import re

_PASSWORD = re.compile(r"(?i)([?&](?:password|sslpassword)=)[^&]*")


def shown(url: str) -> str:
    """The URL without a password."""
    scheme, mark, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    account, at, host = authority.rpartition("@")
    user, colon, _ = account.partition(":")
    hidden = f"{user}:…" if colon else user
    return _PASSWORD.sub(r"\1…", f"{scheme}{mark}{hidden}{at}{host}{slash}{path}")
