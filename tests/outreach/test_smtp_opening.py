import socket
import ssl
from base64 import b64decode

import pytest
import trustme

from outreach.smtp import Dialogue
from outreach.smtp_results import (
    Accepted,
    Deferred,
    LoginRefused,
    ServerUnavailable,
    TlsRequired,
    Unknown,
)
from outreach.smtp_wire import LONGEST_LINE, MOST_LINES
from tests.outreach.dialling import SHORT, dial, open_dialogue, send
from tests.sinks import Drip, Drop, Silence, SmtpSink


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def server_tls(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def client_tls(authority):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.mark.parametrize("verb", ["greeting", "EHLO"])
@pytest.mark.parametrize("answer", [Silence(), Drip("220 " + "x" * 200), Drop("fin"), Drop("rst")])
def test_a_server_that_does_not_begin_is_unavailable(verb, answer):
    with SmtpSink({verb: answer}) as sink, pytest.raises(ServerUnavailable):
        open_dialogue(sink, timeout=SHORT)


@pytest.mark.parametrize("verb", ["greeting", "EHLO"])
def test_a_server_that_refuses_to_begin_says_why(verb):
    with (
        SmtpSink({verb: "554 5.7.1 your address is listed"}) as sink,
        pytest.raises(ServerUnavailable) as caught,
    ):
        open_dialogue(sink)

    assert (caught.value.code, caught.value.text) == (554, "5.7.1 your address is listed")


def test_a_port_where_nobody_listens_is_unavailable():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(ServerUnavailable, match=f"127.0.0.1:{port} cannot be reached"):
        Dialogue.open("127.0.0.1", port, "none", connect=dial)


@pytest.mark.parametrize(
    "reply", ["220 " + "x" * (LONGEST_LINE + 1), "220-x\r\n" * (MOST_LINES + 1) + "220 x"]
)
def test_an_endless_answer_is_cut_off(reply):
    with SmtpSink({"greeting": reply}) as sink, pytest.raises(ServerUnavailable, match="has over"):
        open_dialogue(sink)


def test_an_old_server_that_knows_only_helo_is_served():
    with SmtpSink({"EHLO": "502 5.5.1 what?"}) as sink, open_dialogue(sink) as dialogue:
        assert isinstance(send(dialogue), Accepted)


def test_starttls_encrypts_the_login_and_the_mail(server_tls, client_tls):
    with SmtpSink(tls=server_tls, logins={"bo": "secret"}) as sink:
        with open_dialogue(sink, "starttls", "bo", "secret", tls_context=client_tls) as dialogue:
            outcome = send(dialogue)

        assert outcome == Accepted("250 2.0.0 queued")
        assert dialogue.encrypted
        assert [line.split()[0] for line in sink.commands[:4]] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]


def test_tls_from_the_first_byte(server_tls, client_tls):
    with (
        SmtpSink(tls=server_tls, implicit_tls=True) as sink,
        open_dialogue(sink, "tls", tls_context=client_tls) as dialogue,
    ):
        assert [type(send(dialogue)) for _ in range(3)] == [Accepted] * 3


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_a_tls_connection_lost_before_and_after_the_dot(server_tls, client_tls, how):
    with SmtpSink({"dot": Drop(how)}, tls=server_tls, implicit_tls=True) as sink:
        with open_dialogue(sink, "tls", tls_context=client_tls) as dialogue:
            before = send(dialogue, before_dot=lambda: sink.drop_connections(how) or True)
        with open_dialogue(sink, "tls", tls_context=client_tls) as dialogue:
            after = send(dialogue)

    assert isinstance(before, Deferred)
    assert isinstance(after, Unknown)


def test_a_stripped_starttls_is_never_downgraded():
    with SmtpSink(logins={"bo": "secret"}) as sink:
        with pytest.raises(TlsRequired, match="does not offer STARTTLS"):
            open_dialogue(sink, "starttls", "bo", "secret", allow_clear_password=True)
        sink.finish()

        assert [line.split()[0] for line in sink.commands] == ["EHLO"]


def test_a_refused_starttls_is_never_downgraded(server_tls, client_tls):
    with (
        SmtpSink({"STARTTLS": "454 4.7.0 not now"}, tls=server_tls, logins={"bo": "secret"}) as sink,
        pytest.raises(TlsRequired, match=r"454 4\.7\.0 not now"),
    ):
        open_dialogue(sink, "starttls", "bo", "secret", tls_context=client_tls)


def test_plain_text_slipped_in_before_encryption_is_refused(server_tls, client_tls):
    with (
        SmtpSink({"STARTTLS": "220 ready\r\n250 slipped in"}, tls=server_tls) as sink,
        pytest.raises(TlsRequired, match="sent plain text after it agreed to encrypt"),
    ):
        open_dialogue(sink, "starttls", tls_context=client_tls)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_of_an_unknown_authority_is_refused(server_tls, security):
    with SmtpSink(tls=server_tls, implicit_tls=security == "tls", logins={"bo": "secret"}) as sink:
        with pytest.raises(TlsRequired, match=r"the certificate of 127\.0\.0\.1 is not valid"):
            open_dialogue(sink, security, "bo", "secret")
        sink.finish()

        assert not [line for line in sink.commands if line.startswith("AUTH")]


def test_a_certificate_of_another_name_is_refused(authority, client_tls):
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example").configure_cert(other)

    with SmtpSink(tls=other, implicit_tls=True) as sink, pytest.raises(TlsRequired, match="is not valid"):
        open_dialogue(sink, "tls", tls_context=client_tls)


@pytest.mark.parametrize("answer", [Drop("fin"), Drop("rst"), Silence()])
def test_a_connection_lost_during_the_handshake_is_a_passing_trouble(client_tls, answer):
    words = "being encrypted|cannot be reached"  # a reset may come before the handshake has begun
    with SmtpSink({"greeting": answer}) as sink, pytest.raises(ServerUnavailable, match=words):
        open_dialogue(sink, "tls", timeout=SHORT, tls_context=client_tls)


def test_a_server_without_tls_on_a_tls_port_is_told_apart(client_tls):
    with SmtpSink() as sink, pytest.raises(TlsRequired, match="does not speak TLS here"):
        open_dialogue(sink, "tls", tls_context=client_tls)


@pytest.mark.parametrize("mechanisms", ["PLAIN LOGIN", "PLAIN", "LOGIN", "CRAM-MD5 LOGIN"])
def test_a_login_is_made_with_what_the_server_offers(mechanisms):
    with (
        SmtpSink(logins={"bö": "gehöim"}, mechanisms=mechanisms) as sink,
        open_dialogue(sink, "none", "bö", "gehöim", allow_clear_password=True) as dialogue,
    ):
        assert isinstance(send(dialogue), Accepted)


@pytest.mark.parametrize("mechanisms", ["PLAIN", "LOGIN"])
def test_a_wrong_password_is_refused_in_the_servers_words(mechanisms):
    with (
        SmtpSink(logins={"bo": "secret"}, mechanisms=mechanisms) as sink,
        pytest.raises(LoginRefused) as caught,
    ):
        open_dialogue(sink, "none", "bo", "wrong", allow_clear_password=True)

    assert (caught.value.code, caught.value.text) == (535, "5.7.8 wrong user name or password")


def test_a_login_that_is_put_off_is_no_refusal():
    with (
        SmtpSink({"AUTH": "454 4.7.0 try later"}, logins={}) as sink,
        pytest.raises(ServerUnavailable, match=r"454 4\.7\.0 try later"),
    ):
        open_dialogue(sink, "none", "bo", "secret", allow_clear_password=True)


def test_a_server_with_no_login_we_speak_says_what_it_offers():
    with (
        SmtpSink(logins={}, mechanisms="GSSAPI") as sink,
        pytest.raises(LoginRefused, match="it offers GSSAPI"),
    ):
        open_dialogue(sink, "none", "bo", "secret", allow_clear_password=True)


def test_a_password_is_never_sent_in_clear():
    with SmtpSink(logins={"bo": "secret"}) as sink:
        with pytest.raises(TlsRequired, match="the password is not sent"):
            open_dialogue(sink, "none", "bo", "secret")
        sink.finish()

        assert [line.split()[0] for line in sink.commands] == ["EHLO"]


def test_the_servers_own_words_are_kept():
    with SmtpSink(logins={"bo": "secret"}) as sink:
        with open_dialogue(sink, "none", "bo", "secret", allow_clear_password=True) as dialogue:
            login = dialogue.login_reply
        with open_dialogue(sink) as dialogue:
            greeting = dialogue.greeting

    assert login == "235 2.7.0 welcome"
    assert greeting == "sink.example ESMTP"


def test_a_token_is_given_as_google_and_microsoft_take_it():
    with SmtpSink(logins={"bo@acme.example": "ya29.token"}, mechanisms="PLAIN XOAUTH2") as sink:
        with open_dialogue(
            sink, "none", "bo@acme.example", token="ya29.token", allow_clear_password=True
        ) as dialogue:
            assert dialogue.login_reply == "235 2.7.0 welcome"
        sink.finish()

    given = b64decode(sink.commands[1].removeprefix("AUTH XOAUTH2 "))
    assert given == b"user=bo@acme.example\x01auth=Bearer ya29.token\x01\x01"


def test_a_token_that_is_turned_away_brings_the_servers_code_and_words():
    with SmtpSink(logins={"bo": "another"}, mechanisms="XOAUTH2") as sink:
        with pytest.raises(LoginRefused) as refusal:
            open_dialogue(sink, "none", "bo", token="old", allow_clear_password=True)
        sink.finish()

    assert str(refusal.value) == "535 5.7.8 wrong user name or password"
    assert sink.commands[2] == ""  # the error came as a challenge, and was answered


def test_a_server_without_oauth_is_told_apart():
    with SmtpSink(logins={}, mechanisms="PLAIN LOGIN") as sink, pytest.raises(LoginRefused, match="XOAUTH2"):
        open_dialogue(sink, "none", "bo", token="token", allow_clear_password=True)


def test_a_token_is_never_sent_in_clear():
    with SmtpSink(logins={}, mechanisms="XOAUTH2") as sink:
        with pytest.raises(TlsRequired):
            open_dialogue(sink, "none", "bo", token="token")
        sink.finish()

    assert [line.split()[0] for line in sink.commands] == ["EHLO"]


def test_a_host_name_that_could_leave_its_command_is_refused():
    with SmtpSink() as sink, pytest.raises(ValueError, match="local_hostname"):
        open_dialogue(sink, local_hostname="a\r\nMAIL FROM:<x@y>")


def test_without_a_connect_of_its_own_it_goes_out_through_the_judge(settings):
    settings.OUTBOUND_ALLOW = []
    with SmtpSink() as sink:
        with pytest.raises(ServerUnavailable):
            Dialogue.open("127.0.0.1", sink.port, "none")
        assert sink.connections == 0

        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{sink.port}"]
        with Dialogue.open("127.0.0.1", sink.port, "none") as dialogue:
            assert isinstance(send(dialogue), Accepted)
