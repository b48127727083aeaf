"""What one connection may take: decisions on values."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from meshapi_server.connections.limits import Limits, framing_excess


@pytest.mark.parametrize(
    ("address", "bound"),
    [
        ("8.8.8.8", 5),
        ("2606:4700:4700::1111", 5),
        ("10.1.2.3", None),
        ("127.0.0.1", None),
        ("::1", None),
        ("fe80::1%eth0", None),
        ("", None),
    ],
)
def test_public_addresses_are_bounded_and_private_ones_are_proxies(address: str, bound: int | None) -> None:
    assert Limits(per_address=5).address_bound(address) == bound


def test_every_address_can_be_bounded() -> None:
    assert Limits(per_address=5, private_unbounded=False).address_bound("127.0.0.1") == 5


@given(some.integers(0, 10**9))
def test_a_body_that_keeps_its_pace_is_always_in_time(received: int) -> None:
    limits = Limits()
    assert limits.body_deadline(received) >= received / limits.slowest + limits.stall_timeout


@given(some.integers(0, 10**9))
def test_a_body_in_chunks_of_one_byte_is_no_excess_and_endless_trailers_are(delivered: int) -> None:
    assert not framing_excess(6 * delivered + 5, delivered)
    assert framing_excess(8 * delivered + 1024 * 1024, delivered)
