"""Which addresses the server may fetch inputs from."""

import ipaddress

from aiohttp import abc
from aiohttp.resolver import ThreadedResolver

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
_METADATA = frozenset({ipaddress.ip_address("fd00:ec2::254")})  # a cloud's, in the private range


class AddressRefused(OSError):
    """The name leads to an address that the server does not call."""


def allowed(address: str, *, private: bool) -> bool:
    """Whether an IP address may be called. ``private`` also allows loopback and private networks.

    Link-local (where clouds keep their metadata), multicast, unspecified and reserved addresses never are.
    """
    try:
        ip = _innermost(ipaddress.ip_address(address.split("%", 1)[0]))
    except ValueError:
        return False
    if ip in _METADATA or (ip.version == 4 and ip.is_reserved):
        return False
    if ip.is_loopback or (ip.is_private and not ip.is_link_local and not ip.is_unspecified):
        return private
    return ip.is_global and not ip.is_multicast


def _innermost(ip: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip


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
