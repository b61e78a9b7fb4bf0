import socket

import pytest

from outreach.smtp import transparent
from outreach.smtp_results import Abandoned, Accepted, Deferred, Refused, Unknown
from tests.outreach.dialling import ANA, BO, LETTER, SHORT, open_dialogue, send
from tests.sinks import Arrival, Delay, Drip, Drop, Silence, SmtpSink

EVE = "eve@b.example"
AT_ONCE = {"extensions": ("PIPELINING",)}
STEP_BY_STEP = {"extensions": ()}


@pytest.fixture(params=[AT_ONCE, STEP_BY_STEP], ids=["at once", "step by step"])
def style(request):
    """With PIPELINING, and without."""
    return request.param


def test_a_batch_goes_over_one_connection(style):
    with SmtpSink(**style) as sink, open_dialogue(sink) as dialogue:
        outcomes = [send(dialogue), send(dialogue, EVE)]

        assert outcomes == [Accepted("250 2.0.0 queued")] * 2
        assert sink.arrivals == [Arrival(BO, (ANA,), LETTER), Arrival(BO, (EVE,), LETTER)]
        assert sink.connections == 1
        assert "RSET" not in sink.commands


def test_the_end_of_the_data_waits_for_the_word():
    seen = []
    with SmtpSink() as sink, open_dialogue(sink) as dialogue:
        outcome = send(dialogue, before_dot=lambda: seen.append((sink.commands[-1], sink.count)) or True)

    assert isinstance(outcome, Accepted)
    assert seen == [("DATA", 0)]
    assert sink.count == 1


def test_a_message_abandoned_before_the_dot_leaves_nothing(style):
    with SmtpSink(**style) as sink:
        with open_dialogue(sink) as dialogue:
            outcome = send(dialogue, before_dot=lambda: False)

            assert outcome == Abandoned()
            assert not dialogue.is_open
        sink.finish()

        assert sink.count == 0


def test_an_error_in_the_callers_answer_abandons_the_message_too():
    def fail():
        raise RuntimeError("no database")

    with SmtpSink() as sink:
        with open_dialogue(sink) as dialogue, pytest.raises(RuntimeError, match="no database"):
            send(dialogue, before_dot=fail)
        sink.finish()

        assert sink.count == 0


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "dot"])
@pytest.mark.parametrize("reply", ["450 4.2.0 mailbox busy", "451 4.3.0 later", "452 4.2.2 full"])
def test_a_4xx_reply_defers_and_the_connection_stays_usable(style, verb, reply):
    with (
        SmtpSink({verb: [reply, {"DATA": "354 go", "dot": "250 ok"}.get(verb, "250 ok")]}, **style) as sink,
        open_dialogue(sink) as dialogue,
    ):
        first, second = send(dialogue), send(dialogue)

    assert first == Deferred(int(reply[:3]), reply[4:], "." if verb == "dot" else verb)
    assert isinstance(second, Accepted)
    assert sink.count == sink.connections == 1


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "dot"])
@pytest.mark.parametrize(
    ("reply", "enhanced"),
    [("550 5.1.1 no such user", "5.1.1"), ("552 5.2.2 over quota", "5.2.2"), ("554 rejected as spam", "")],
)
def test_a_5xx_reply_refuses_and_the_connection_stays_usable(style, verb, reply, enhanced):
    with (
        SmtpSink({verb: [reply, {"DATA": "354 go", "dot": "250 ok"}.get(verb, "250 ok")]}, **style) as sink,
        open_dialogue(sink) as dialogue,
    ):
        first, second = send(dialogue), send(dialogue)

    assert first == Refused(int(reply[:3]), enhanced, reply[4:], "." if verb == "dot" else verb)
    assert isinstance(second, Accepted)
    assert sink.count == 1


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "dot"])
def test_421_defers_and_ends_the_connection(style, verb):
    with SmtpSink({verb: "421 4.7.0 closing"}, **style) as sink, open_dialogue(sink) as dialogue:
        first, second = send(dialogue), send(dialogue)

    assert first == Deferred(421, "4.7.0 closing", "." if verb == "dot" else verb)
    assert second == Deferred(0, "the connection is closed")
    assert sink.count == 0


def test_each_recipient_has_an_outcome_of_its_own(style):
    rcpt = {EVE: "550 5.1.1 unknown", "full@b.example": "452 4.2.2 full"}
    with SmtpSink({"RCPT": rcpt}, **style) as sink, open_dialogue(sink) as dialogue:
        outcomes = [send(dialogue, to) for to in (ANA, EVE, "full@b.example", ANA)]

    assert [type(one) for one in outcomes] == [Accepted, Refused, Deferred, Accepted]
    assert [one.recipients for one in sink.arrivals] == [(ANA,), (ANA,)]
    assert sink.commands.count("RSET") == 2


def test_no_empty_message_is_sent_where_data_is_welcome_without_a_recipient():
    answers = {"RCPT": "550 5.1.1 unknown", "DATA": "354 go ahead anyway"}
    with SmtpSink(answers, **AT_ONCE) as sink:
        with open_dialogue(sink) as dialogue:
            outcome = send(dialogue)
        sink.finish()

    assert outcome == Refused(550, "5.1.1", "5.1.1 unknown", "RCPT")
    assert sink.count == 0


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_a_refusal_counts_although_the_server_hangs_up_on_it(style, how):
    drop = Drop(how) if how == "fin" else Drop("fin", after="554 5.7.1 bye\r\n")
    with (
        SmtpSink({"RCPT": "550 5.7.1 blocked", "DATA": drop, "RSET": drop}, **style) as sink,
        open_dialogue(sink) as dialogue,
    ):
        outcome = send(dialogue)

    assert outcome == Refused(550, "5.7.1", "5.7.1 blocked", "RCPT")


@pytest.mark.parametrize("how", ["fin", "rst"])
@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "body"])
def test_a_connection_lost_before_the_dot_defers(style, verb, how):
    with SmtpSink({verb: Drop(how)}, **style) as sink, open_dialogue(sink) as dialogue:
        outcome = send(dialogue, data=LETTER + b"x" * 5_000_000)

    assert isinstance(outcome, Deferred)
    assert outcome.code == 0
    assert sink.count == 0


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_a_connection_lost_while_the_caller_thinks_defers(how):
    with SmtpSink() as sink, open_dialogue(sink) as dialogue:
        outcome = send(dialogue, before_dot=lambda: sink.drop_connections(how) or True)

    assert isinstance(outcome, Deferred)
    assert outcome.code == 0
    assert sink.count == 0


def test_an_answer_in_the_middle_of_the_data_is_heard_and_the_dot_kept_back():
    with SmtpSink({"body": "451 4.3.0 out of space"}) as sink, open_dialogue(sink) as dialogue:
        outcome = send(dialogue, before_dot=lambda: bool(dialogue.wire.connection.recv(1, socket.MSG_PEEK)))

    assert outcome == Deferred(451, "4.3.0 out of space", "DATA")
    assert sink.count == 0


@pytest.mark.parametrize(
    "ending", [Drop("fin"), Drop("rst"), Silence(), Drop("fin", after="250-half an "), Drip("250 slow")]
)
def test_no_whole_answer_after_the_dot_is_unknown(style, ending):
    timeout = SHORT if isinstance(ending, (Silence, Drip)) else 5.0
    slow = Drip("250 " + "x" * 200, pause=0.02) if isinstance(ending, Drip) else ending
    with SmtpSink({"dot": slow}, **style) as sink, open_dialogue(sink, timeout=timeout) as dialogue:
        outcome = send(dialogue)

        assert isinstance(outcome, Unknown)
        assert not dialogue.is_open
        assert sink.count == 1


@pytest.mark.parametrize("reply", ["354 more?", "hello", "999 odd", "250-a\r\n451 b"])
def test_an_answer_after_the_dot_that_makes_no_sense_is_unknown(reply):
    with SmtpSink({"dot": reply}) as sink, open_dialogue(sink) as dialogue:
        assert isinstance(send(dialogue), Unknown)


def test_an_answer_too_many_ends_the_connection_before_it_is_taken_for_the_next(style):
    with SmtpSink({"dot": "250 ok\r\n250 ok"}, **style) as sink, open_dialogue(sink) as dialogue:
        first, second = send(dialogue), send(dialogue)

    assert first == Accepted("250 ok")
    assert second == Deferred(0, "the server answered more often than it was asked")
    assert sink.count == 1


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
def test_silence_before_the_dot_defers(style, verb):
    with SmtpSink({verb: Silence()}, **style) as sink, open_dialogue(sink, timeout=SHORT) as dialogue:
        outcome = send(dialogue)

    assert outcome == Deferred(0, "no whole answer within 0.2 s")
    assert sink.count == 0


def test_a_slow_answer_within_the_timeout_is_awaited():
    with SmtpSink({"dot": Delay(0.05, "250 at last")}) as sink, open_dialogue(sink) as dialogue:
        assert send(dialogue) == Accepted("250 at last")


@pytest.mark.parametrize("quit_answer", [Drop("fin"), Drop("rst"), Silence(), "500 no"])
def test_trouble_in_quit_changes_nothing(quit_answer):
    with SmtpSink({"QUIT": quit_answer}) as sink:
        with open_dialogue(sink, timeout=SHORT) as dialogue:
            outcome = send(dialogue)

        assert outcome == Accepted("250 2.0.0 queued")
        assert not dialogue.is_open


def test_a_message_larger_than_the_server_says_it_takes_is_refused_unsent():
    with SmtpSink(extensions=("SIZE 100",)) as sink, open_dialogue(sink) as dialogue:
        outcome = send(dialogue, data=b"x" * 101)

    assert outcome == Refused(552, "5.3.4", "the message has 101 bytes; 127.0.0.1 takes 100")
    assert "DATA" not in sink.commands


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ana",
        "a@b.example> NOTIFY=NEVER",
        "a@b.example>\r\nRCPT TO:<eve@c.example",
        "a b@c.example",
        "é@b.example",
    ],
)
def test_an_address_that_could_leave_its_command_is_refused(address):
    with SmtpSink() as sink, open_dialogue(sink) as dialogue:
        with pytest.raises(ValueError, match="is not one ASCII address"):
            send(dialogue, address)
        if address:
            with pytest.raises(ValueError, match="is not one ASCII address"):
                dialogue.send(address, ANA, LETTER, before_dot=lambda: True)

        assert [line.split()[0] for line in sink.commands] == ["EHLO"]


def test_the_null_sender_is_allowed():
    with SmtpSink() as sink, open_dialogue(sink) as dialogue:
        dialogue.send("", ANA, LETTER, before_dot=lambda: True)

        assert sink.arrivals[0].envelope_from == ""


@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r\n.\r\n", b"\r.\r\n", b"\n\n.\r\n"]
)
def test_no_line_end_can_smuggle_a_second_message(style, end):
    hidden = LETTER + end + b"MAIL FROM:<eve@evil.example>\r\nRCPT TO:<x@b.example>\r\nDATA\r\nspam\r\n"
    with SmtpSink(**style) as sink, open_dialogue(sink) as dialogue:
        outcome = send(dialogue, data=hidden)
        again = send(dialogue)

    assert (type(outcome), type(again)) == (Accepted, Accepted)
    assert sink.count == 2
    assert sink.arrivals[0].data == b"\r\n".join(
        hidden.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    )


@pytest.mark.parametrize(
    ("data", "carried"),
    [
        (b"a\r\n.b\r\n..c\r\n", b"a\r\n..b\r\n...c"),
        (b".", b".."),
        (b".\r\n.\r\n", b"..\r\n.."),
        (b"a\nb\rc", b"a\r\nb\r\nc"),
        (b"", b""),
    ],
)
def test_a_line_that_begins_with_a_dot_gets_another(data, carried):
    assert transparent(data) == carried
