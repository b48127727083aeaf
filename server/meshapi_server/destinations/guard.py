"""The one place that decides where the server may call when a stranger names the destination.

The check is made on the address that a socket is about to connect to, not on a name: a name that changes its
answer between a check and the connection, an odd spelling of an address, or a redirect gains nothing.
Callbacks and the fetching of inputs both go through here.
"""

import socket
from collections.abc import Callable
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver
from msgspec import Struct
from yarl import URL

from .addresses import allowed

USUAL_PORTS = frozenset({80, 443, 8080, 8443})
CONNECT_SECONDS = 5.0


class AddressRefused(OSError):
    """The destination leads to an address that the server does not call."""


class Guard(Struct, frozen=True, kw_only=True):
    """What is allowed. ``private`` admits loopback and private networks; ``ports`` None admits any port."""

    private: bool = False
    ports: frozenset[int] | None = USUAL_PORTS

    def problem(self, url: URL) -> str | None:
        """What is wrong with a URL before anything is looked up, in words for the caller; None if nothing."""
        if url.scheme not in {"http", "https"} or not url.host:
            return "is no http(s) URL"
        if url.user is not None or url.password is not None:
            return "holds a user name or password"
        if url.port is not None and not self.allows_port(url.port):
            ports = ", ".join(str(port) for port in sorted(self.ports or ()))
            return f"names port {url.port}; {ports} may be called"
        return None

    def allows_port(self, port: int) -> bool:
        """Whether a port may be called."""
        return 0 < port <= 65535 and (self.ports is None or port in self.ports)

    def connector(
        self,
        *,
        limit: int = 1,
        refused: Callable[[str], None] | None = None,
        resolver: AbstractResolver | None = None,
    ) -> aiohttp.TCPConnector:
        """A connector whose every socket is checked. ``refused`` is told of addresses that are not called."""

        def checked(info: Any) -> socket.socket:
            family, kind, protocol, _, place = info
            address, port = str(place[0]), int(place[1])
            if not allowed(address, private=self.private) or not self.allows_port(port):
                if refused is not None:
                    refused(address)
                raise AddressRefused(f"{address} port {port} is not called")
            return socket.socket(family, kind, protocol)

        return aiohttp.TCPConnector(
            limit=limit, use_dns_cache=False, socket_factory=checked, resolver=resolver
        )
