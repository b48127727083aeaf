"""Which IP addresses the server may call when a stranger names the destination."""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_TRANSLATED = (
    ipaddress.IPv6Network("::ffff:0:0:0/96"),  # RFC 2765: IPv4-translated
    ipaddress.IPv6Network("64:ff9b::/96"),  # RFC 6052: the last 32 bits are an IPv4 address
    ipaddress.IPv6Network("64:ff9b:1::/48"),  # RFC 8215
)
_COMPATIBLE = ipaddress.IPv6Network("::/96")  # RFC 4291, deprecated: IPv4-compatible
_ISATAP = 0x5EFE  # RFC 5214: the interface id is 0000:5efe followed by an IPv4 address
_SHARED = ipaddress.IPv4Network("100.64.0.0/10")  # RFC 6598, carrier-grade NAT; clouds keep services there
# Metadata services outside the link-local range, which never are a destination, private or not.
_METADATA = frozenset(
    ipaddress.ip_address(each)
    for each in ("fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")
)


def allowed(address: str, *, private: bool) -> bool:
    """Whether an IP address may be called. ``private`` also allows loopback and private networks.

    Link-local addresses (where clouds keep their metadata), multicast, unspecified, broadcast and reserved
    ones never are. An IPv6 address that stands for an IPv4 one is judged as that.
    """
    try:
        ip = _innermost(ipaddress.ip_address(address.split("%", 1)[0]))
    except ValueError:
        return False
    if ip in _METADATA or ip.is_multicast or ip.is_unspecified or ip.is_link_local:
        return False
    if ip.is_loopback:
        return private
    if ip.version == 4 and ip.is_reserved:
        return False
    if ip.is_private or (ip.version == 4 and ip in _SHARED):
        return private
    return ip.is_global


def _innermost(ip: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
    if inner is not None:
        return inner
    number = int(ip)
    embeds = any(ip in network for network in _TRANSLATED) or (number >> 32) & 0xFFFF_FFFF in {
        _ISATAP,
        _ISATAP | 0x0200_0000,
    }
    if embeds or (ip in _COMPATIBLE and number > 1):
        return ipaddress.IPv4Address(number & 0xFFFF_FFFF)
    return ip
