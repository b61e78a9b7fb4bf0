"""Which hosts may be reached: the rule of addresses, names and their answers, urls and headers."""

import socket
import threading

import pytest
from django.core.exceptions import ImproperlyConfigured

from pipelime import outbound
from pipelime.outbound import Address, Malformed, Refused, TimedOut, Unreachable, Unresolved, dialing
from pipelime.outbound.dialing import HTTP_PORTS
from pipelime.outbound.errors import REFUSAL


@pytest.fixture(autouse=True)
def nothing_allowed(settings):
    settings.OUTBOUND_ALLOW = []


@pytest.fixture
def canary():
    """A listener that nobody may reach."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.fixture
def answers(monkeypatch):
    """Make names resolve to what a test says, one list of addresses a lookup, the last one for ever."""

    def say(*rounds: list[str]) -> None:
        left = list(rounds)

        def getaddrinfo(host, port, **kwargs):
            found = left.pop(0) if len(left) > 1 else left[0]
            return [(socket.AF_INET6 if ":" in ip else socket.AF_INET, 1, 6, "", (ip, port)) for ip in found]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return say


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


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "127.1",
        "0",
        "①②⑦.⓪.⓪.①",
        "１２７.０.０.１",
        "127。0。0。1",
        "::1",
        "::ffff:7f00:1",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "fe80::1%lo",
        "127.0.0.1%00",
        "127.0.0.1\x00.example.com",
        "exa mple.com",
        "a" * 64 + ".example.com",
        ".",
        "",
    ],
)
def test_no_spelling_of_a_host_reaches_this_machine(host, canary):
    with pytest.raises(Refused):
        outbound.connect(host, canary.getsockname()[1], 2.0)

    with pytest.raises(BlockingIOError):
        canary.accept()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:7f00:1]:{port}/",
        "http://2130706433:{port}/",
        "http://①②⑦.⓪.⓪.①:{port}/",
        "http://localhost:{port}/",
        "http://hook.example@127.0.0.1:{port}/",
        "http://hook.example#@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}\\@hook.example/",
        "https://127.0.0.1:{port}/",
        "//127.0.0.1:{port}/",
        "127.0.0.1:{port}",
    ],
)
def test_no_url_reaches_this_machine(url, canary):
    with pytest.raises(Refused):
        outbound.post(url.format(port=canary.getsockname()[1]), b"{}", deadline=2.0)

    with pytest.raises(BlockingIOError):
        canary.accept()


def test_one_bad_answer_refuses_the_whole_name(answers):
    answers(["8.8.8.8", "10.0.0.1"])

    with pytest.raises(Refused) as refusal:
        outbound.resolve("rebinding.example", 443)

    assert str(refusal.value) == REFUSAL
    assert "10.0.0.1" in refusal.value.reason


def test_all_good_answers_are_kept_once_and_in_order(answers):
    answers(["2606:4700::1", "8.8.8.8", "2606:4700::1"])

    assert outbound.resolve("hook.example", 443) == [Address("2606:4700::1", 443), Address("8.8.8.8", 443)]


def test_an_answer_that_names_an_interface_is_refused(monkeypatch):
    found = [(socket.AF_INET6, 1, 6, "", ("2606:4700::1", 443, 0, 2))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)

    with pytest.raises(Refused, match="may not be reached") as refusal:
        outbound.resolve("hook.example", 443)

    assert refusal.value.reason == "2606:4700::1%2 names an interface"


def test_a_name_that_does_not_exist_is_refused_in_the_same_words(monkeypatch):
    def getaddrinfo(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    with pytest.raises(Unresolved) as refusal:
        outbound.resolve("nowhere.example", 443)

    assert str(refusal.value) == REFUSAL
    assert refusal.value.kind == "dns"
    assert "Name or service not known" in refusal.value.reason


def test_a_name_without_addresses_is_refused(answers):
    answers([])

    with pytest.raises(Unresolved):
        outbound.resolve("empty.example", 443)


def test_a_silent_name_server_is_not_waited_for(monkeypatch):
    silence = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: silence.wait(30) or [])

    with pytest.raises(Unresolved) as refusal:
        outbound.resolve("slow.example", 443, timeout=0.05)

    silence.set()
    assert str(refusal.value) == REFUSAL
    assert refusal.value.reason == "slow.example: no answer from the name server within 0.1 s"


def test_waiting_lookups_are_bounded(monkeypatch):
    monkeypatch.setattr(dialing, "_lookups", threading.BoundedSemaphore(1))
    silence = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: silence.wait(30) or [])

    for expected in ("no answer from the name server", "too many lookups"):
        with pytest.raises(Unresolved) as refusal:
            outbound.resolve("slow.example", 443, timeout=0.05)
        assert expected in refusal.value.reason

    silence.set()


def test_an_unusual_port_of_a_public_host_is_refused(answers):
    answers(["8.8.8.8"])

    with pytest.raises(Refused) as refusal:
        outbound.resolve("hook.example", 22, ports=HTTP_PORTS)

    assert str(refusal.value) == REFUSAL
    assert refusal.value.reason == "port 22 of hook.example is none of [80, 443, 8443] and not in OUTBOUND_ALLOW"


def test_the_clear_is_allowed_when_every_address_is_on_the_list(answers, settings):
    settings.OUTBOUND_ALLOW = ["127.0.0.1:1025", "8.8.8.0/24"]
    answers(["127.0.0.1"], ["127.0.0.1", "1.1.1.1"], ["10.0.0.1"], ["8.8.8.8"])

    assert [outbound.allowed_in_clear("sink.example", 1025) for _ in range(4)] == [True, False, False, True]


def test_the_clear_is_judged_by_the_peer_of_an_open_connection(canary, settings):
    host, port = canary.getsockname()
    settings.OUTBOUND_ALLOW = [f"{host}:{port}"]
    connected = outbound.connect(host, port, 2.0)

    with connected:
        allowed = outbound.peer_allowed_in_clear(connected)
        settings.OUTBOUND_ALLOW = []
        refused = outbound.peer_allowed_in_clear(connected)

    assert (allowed, refused) == (True, False)


def test_the_next_address_is_tried_when_one_does_not_answer(answers, canary, settings):
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    port = canary.getsockname()[1]
    answers(["127.0.0.2", "127.0.0.1"])  # nobody listens on the first

    with outbound.connect("mail.example", port, 2.0) as connected:
        assert connected.getpeername() == ("127.0.0.1", port)
        assert connected.gettimeout() == 2.0
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_a_host_that_nobody_listens_on_is_unreachable(settings):
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(Unreachable) as failure:
        outbound.connect("127.0.0.1", port, 2.0)

    assert failure.value.kind == "connect"


def test_a_connection_is_made_to_the_address_that_was_judged(answers, canary, settings):
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    port = canary.getsockname()[1]
    answers(["127.0.0.1"], ["127.0.0.9"])  # a second lookup would be answered otherwise

    with outbound.connect("rebinding.example", port, 2.0) as connected:
        assert connected.getpeername() == ("127.0.0.1", port)


def test_an_own_public_address_is_refused(canary):
    own = Address("127.0.0.1", canary.getsockname()[1], in_clear=False)

    with pytest.raises(Refused) as refusal:
        dialing.dial([own], float("inf"), socket.socket)

    assert refusal.value.reason == "127.0.0.1 is this very machine"


def test_a_deadline_that_has_passed_is_a_timeout(canary):
    own = Address("127.0.0.1", canary.getsockname()[1], in_clear=True)

    with pytest.raises(TimedOut) as failure:
        dialing.dial([own], 0.0, socket.socket)

    assert failure.value.kind == "timeout"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://hook.example/", "must begin with https://"),
        ("hook.example", "must begin with https://"),
        ("https://user:secret@hook.example/", "user name or password"),
        ("https://@hook.example/", "user name or password"),
        ("https://hook.example/#part", "fragment"),
        ("https://hook.example/#", "fragment"),
        ("https://hook.example/a b", "percent-encoded"),
        ("https://hook.example/\r\nX-A: b", "percent-encoded"),
        ("https://hook.example\\@evil.example/", "percent-encoded"),
        ("https://hook.example:0/", "port 0"),
        ("https://hook.example:70000/", "cannot be read"),
        ("https://hook.example:https/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https://[fe80::1%25eth0]/", "not a host name"),
        ("https:///path", "not a host name"),
        ("https://hook%2eexample/", "not a host name"),
        ("https://xn--\u0661.example/", "not a host name"),
    ],
)
def test_a_malformed_url_says_what_is_wrong(url, told):
    with pytest.raises(Malformed, match=told) as refusal:
        outbound.parse_url(url)

    assert refusal.value.kind == "refused"
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "host", "authority", "path"),
    [
        ("https://Hook.Example", "hook.example", "hook.example", "/"),
        ("https://hook.example.:8443/a", "hook.example.", "hook.example:8443", "/a"),
        ("https://bücher.example/ä?q=ö%20&r", "xn--bcher-kva.example", "xn--bcher-kva.example", "/%C3%A4?q=%C3%B6%20&r"),
        ("http://[2606:4700::1]:80/", "2606:4700::1", "[2606:4700::1]", "/"),
    ],
)
def test_a_url_is_taken_apart(url, host, authority, path):
    target = outbound.parse_url(url)

    assert (target.host, target.authority, target.path) == (host, authority, path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-A\r\nBcc", "b"),
        ("X A", "b"),
        ("X-A:", "b"),
        ("", "b"),
        ("X" * 65, "b"),
        ("X-Ä", "b"),
        ("X-A", "b\r\nX-B: c"),
        ("X-A", "b\nc"),
        ("X-A", "b\x00"),
        ("X-A", "\u0100"),
        ("Host", "evil.example"),
        ("hOST", "evil.example"),
        ("Content-Length", "1"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "upgrade"),
        ("Accept-Encoding", "gzip"),
    ],
)
def test_a_header_that_would_smuggle_is_refused(name, value):
    with pytest.raises(Malformed, match="^header: "):
        outbound.check_headers({"X-Good": "fine", name: value})
