"""What one connection may take, and how many there may be: values and decisions, no I/O."""

import ipaddress

from msgspec import Struct


class Limits(Struct, frozen=True, kw_only=True):
    """Bounds of connections. Times are seconds, sizes bytes.

    ``head_timeout``: from the first byte (or the connection) to the end of the headers. ``stall_timeout``:
    how long a body may stand still, and an answer that is not read; a body must also keep ``slowest`` bytes a
    second on average after that. ``per_address`` bounds one public address; private ones are proxies.
    """

    connections: int = 4096
    per_address: int = 1024
    private_unbounded: bool = True
    head_timeout: float = 15.0
    stall_timeout: float = 60.0
    slowest: int = 500
    target: int = 16 * 1024
    head: int = 48 * 1024
    headers: int = 100

    def body_deadline(self, received: int) -> float:
        """Seconds from the end of the headers by which more must have come than ``received`` bytes."""
        return self.stall_timeout + received / self.slowest

    def address_bound(self, address: str) -> int | None:
        """How many connections this address may have; None for any number."""
        try:
            ip = ipaddress.ip_address(address.split("%", 1)[0])
        except ValueError:  # a socket of the file system
            return None
        return None if self.private_unbounded and not ip.is_global else self.per_address


def framing_excess(received: int, delivered: int) -> bool:
    """Whether a body came with far more around it than in it: endless trailers, or chunks of nothing.

    A chunk of one byte comes in six.
    """
    return received > 8 * delivered + 256 * 1024
