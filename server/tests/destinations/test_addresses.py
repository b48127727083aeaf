"""Which addresses the server calls."""

import pytest

from meshapi_server.destinations.addresses import allowed

PUBLIC = [
    "93.184.216.34",
    "8.8.8.8",
    "2606:4700:4700::1111",
    "::ffff:8.8.8.8",
    "2002:808:808::1",
    "64:ff9b::808:808",
    "::ffff:0:808:808",
]
PRIVATE = [
    "127.0.0.1",
    "127.8.9.10",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "::1",
    "fd00::1",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "2002:7f00:1::",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "::ffff:0:7f00:1",  # IPv4-translated, which ends like an IPv4-mapped one
    "::ffff:0:127.0.0.1",
    "2001:0:808:808:0:0:80ff:fffe",  # Teredo: the client behind it is 127.0.0.1
    "2001:db8::200:5efe:7f00:1",  # ISATAP
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
]
NEVER = [
    "169.254.169.254",
    "fe80::1",
    "fe80::1%eth0",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
    "::ffff:169.254.169.254",
    "2002:a9fe:a9fe::1",
    "64:ff9b::a9fe:a9fe",
    "::ffff:0:a9fe:a9fe",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    "240.0.0.1",
    "nonsense",
    "",
    "127.1",
    "0x7f000001",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_always_allowed(address: str) -> None:
    assert allowed(address, private=False)
    assert allowed(address, private=True)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_allowed_only_where_the_operator_says_so(address: str) -> None:
    assert not allowed(address, private=False)
    assert allowed(address, private=True)


@pytest.mark.parametrize("address", NEVER)
def test_metadata_multicast_unspecified_and_unreadable_addresses_never_are(address: str) -> None:
    assert not allowed(address, private=False)
    assert not allowed(address, private=True)
