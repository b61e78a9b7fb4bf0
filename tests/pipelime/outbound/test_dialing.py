"""Names and their answers: all judged, then connected to as judged."""

import socket
import threading

import pytest

from pipelime import outbound
from pipelime.outbound import (
    Address,
    Refused,
    TimedOut,
    Unreachable,
    Unresolved,
    dialing,
)
from pipelime.outbound.dialing import HTTP_PORTS
from pipelime.outbound.errors import REFUSAL


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
    assert (
        refusal.value.reason == "port 22 of hook.example is none of [80, 443, 8443] and not in OUTBOUND_ALLOW"
    )


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
    settings.OUTBOUND_ALLOW = ["::1", "127.0.0.1"]
    port = canary.getsockname()[1]
    answers(["::1", "127.0.0.1"])  # nobody listens on the first

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
