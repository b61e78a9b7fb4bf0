"""Which addresses may be reached, whatever the operator allows."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from pipelime import outbound
from pipelime.outbound import (
    Address,
    Refused,
)
from pipelime.outbound.errors import REFUSAL

FORBIDDEN = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::808:808",
    "64:ff9b:1::a9fe:a9fe",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "2002:808:808::",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "198.17.255.255",
    "223.255.255.255",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2606:4700::1",
    "2a00:1450:4001::1",
]


@pytest.mark.parametrize("ip", FORBIDDEN)
def test_an_address_that_is_not_public_is_refused(ip):
    with pytest.raises(Refused) as refusal:
        outbound.check_address(ip, 443)

    assert refusal.value.kind == "refused"
    assert str(refusal.value) == REFUSAL
    assert ip in refusal.value.reason


@pytest.mark.parametrize("ip", PUBLIC)
def test_a_public_address_is_reached_with_tls_only(ip):
    assert outbound.check_address(ip, 443) == Address(ip, 443, in_clear=False)


def test_an_ipv4_address_inside_ipv6_is_connected_to_as_ipv4():
    assert outbound.check_address("::ffff:8.8.8.8", 443) == Address("8.8.8.8", 443)


@pytest.mark.parametrize(
    "entry",
    ["10.0.0.0/8", "10.0.0.7", "10.0.0.7:25", "10.0.0.0/8:25", "[10.0.0.7]:25", "0.0.0.0/0"],
)
def test_the_operator_may_allow_a_private_address(entry):
    assert outbound.check_address("10.0.0.7", 25, [entry]) == Address("10.0.0.7", 25, in_clear=True)


@pytest.mark.parametrize("entry", ["fd00::/8", "fd00::7", "[fd00::7]", "[fd00::7]:25", "[fd00::/8]:25"])
def test_the_operator_may_allow_a_private_ipv6_address(entry):
    assert outbound.check_address("fd00::7", 25, [entry]) == Address("fd00::7", 25, in_clear=True)


def test_the_operator_may_allow_this_machine():
    allow = ["127.0.0.1:1025", "[::1]:1025"]

    judged = [outbound.check_address(ip, 1025, allow) for ip in ("127.0.0.1", "::1", "::ffff:127.0.0.1")]

    assert [(address.ip, address.in_clear) for address in judged] == [
        ("127.0.0.1", True),
        ("::1", True),
        ("127.0.0.1", True),
    ]


@pytest.mark.parametrize("entry", ["10.0.0.7:587", "10.0.0.8", "11.0.0.0/8", "fd00::/8"])
def test_an_entry_allows_no_other_port_or_address(entry):
    with pytest.raises(Refused):
        outbound.check_address("10.0.0.7", 25, [entry])


@pytest.mark.parametrize(
    "ip",
    [
        "169.254.169.254",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "64:ff9b:1:a9fe:a9:fe00::",
        "64:ff9b:1:a83f:81:1000::",
        "2002:a9fe:a9fe::",
        "2001:0:a9fe:a9fe::",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fd00:42::42",
        "fe80::1",
    ],
)
def test_metadata_and_link_local_stay_closed_whatever_the_operator_allows(ip):
    with pytest.raises(Refused):
        outbound.check_address(ip, 80, ["0.0.0.0/0", "::/0"])


def test_allowing_a_translator_does_not_open_the_private_networks_behind_it():
    allow = ["64:ff9b::/96"]

    assert outbound.check_address("64:ff9b::808:808", 443, allow).in_clear
    with pytest.raises(Refused):
        outbound.check_address("64:ff9b::a00:1", 443, allow)


@pytest.mark.parametrize("entry", ["localhost", "10.0.0.1/8", "10.0.0.1:99999", "10.0.0.1:smtp", "[::1", ""])
def test_a_wrong_entry_says_what_would_work(entry):
    with pytest.raises(ImproperlyConfigured, match=r"OUTBOUND_ALLOW.*write 10\.0\.0\.0/8"):
        outbound.check_address("8.8.8.8", 443, [entry])
