"""Which addresses the server may fetch inputs from."""

import ipaddress

from aiohttp import abc
from aiohttp.resolver import ThreadedResolver


class AddressRefused(OSError):
    """The name leads to an address that the server does not call."""


def allowed(address: str, *, private: bool) -> bool:
    """Whether an IP address may be called. ``private`` also allows loopback and private networks.

    Link-local (where clouds keep their metadata), multicast, unspecified and reserved addresses never are.
    """
    try:
        ip: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and (inner := ip.ipv4_mapped or ip.sixtofour) is not None:
        ip = inner
    if ip.is_loopback or (ip.is_private and not ip.is_link_local and not ip.is_unspecified):
        return private
    return ip.is_global and not ip.is_multicast


class GuardedResolver(abc.AbstractResolver):
    """Resolves names and drops refused addresses: the connection goes to an address that was checked."""

    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._inner = ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[abc.ResolveResult]:
        """The allowed addresses of ``host``. Raises AddressRefused when there is none."""
        found = await self._inner.resolve(host, port, family)  # type: ignore[arg-type]  # an AddressFamily
        kept = [each for each in found if allowed(each["host"], private=self._private)]
        if not kept:
            raise AddressRefused(f"{host} leads to an address that this server does not call")
        return kept

    async def close(self) -> None:
        """Nothing is held."""
        await self._inner.close()
