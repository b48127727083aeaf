"""The proxies of the environment: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY, in either case.

The HTTP client could read them itself, but would then also look into ``~/.netrc`` for every single request,
and refuse to send our credentials where it finds others there. Proxies of other kinds (SOCKS) are not used.
"""

import base64
from collections.abc import Mapping
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

from msgspec import Struct
from yarl import URL


class Proxy(Struct, frozen=True):
    """One proxy, and who we are to it."""

    url: URL
    headers: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"Proxy({self.url})"


class Proxies:
    """Read once, at the first use; a choice for each host is kept."""

    def __init__(self) -> None:
        self._known: Mapping[str, str] | None = None
        self._chosen: dict[tuple[str, str], Proxy | None] = {}

    def choose(self, url: URL) -> Proxy | None:
        """The proxy for a URL; None to go there directly."""
        place = (url.scheme, f"{url.host}:{url.port}")
        if place not in self._chosen:
            self._chosen[place] = self._choose(*place)
        return self._chosen[place]

    def _choose(self, scheme: str, host: str) -> Proxy | None:
        if self._known is None:
            self._known = getproxies_environment()
        address = self._known.get(scheme) or self._known.get("all")
        if not address or proxy_bypass_environment(host, self._known):
            return None
        proxy = URL(address if "://" in address else f"http://{address}")
        if proxy.scheme not in {"http", "https"}:
            return None
        if not proxy.user:
            return Proxy(proxy)
        proof = base64.b64encode(f"{proxy.user}:{proxy.password or ''}".encode()).decode()  # RFC 7617
        return Proxy(proxy.with_user(None), {"proxy-authorization": f"Basic {proof}"})
