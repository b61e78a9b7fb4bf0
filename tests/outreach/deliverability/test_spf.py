import pytest

from outreach.deliverability import spf
from outreach.deliverability.findings import asked
from tests.names import Table


def judged(*texts: str, **names: list[str] | None) -> tuple[str, str, str]:
    others = {name.replace("_", "."): found for name, found in names.items()}
    finding = spf.check("acme.example", Table({"acme.example": list(texts), **others}), {"smtp.acme.example"})
    return finding.level, finding.found, finding.advice


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 ip4:192.0.2.0/24 -all",
        "v=spf1 a mx ~all",
        "v=spf1 a:mail.acme.example/24 ip6:2001:db8::/32 exists:%{i}._spf.acme.example -all",
        "V=SPF1 MX -ALL",
        "v=spf1 mx exp=why.acme.example -all",
    ],
)
def test_a_record_that_names_its_servers_is_in_order(record):
    assert judged(record) == ("ok", record, "")


def test_without_a_record_one_is_proposed():
    assert judged("google-site-verification=x", "v=spf10 -all") == (
        "problem",
        "no SPF record",
        'Add a TXT record at acme.example: "v=spf1 a:smtp.acme.example ~all".',
    )


def test_what_is_proposed_includes_what_a_mail_service_asks_for():
    assert spf.senders(["smtp.gmail.com", "smtp.office365.com"]) == (
        "include:_spf.google.com include:spf.protection.outlook.com"
    )
    assert spf.senders(["evilgmail.com"]) == "a:evilgmail.com"
    assert spf.senders([]) == "mx"


def test_two_records_are_as_good_as_none():
    level, _, advice = judged("v=spf1 mx ~all", "v=spf1 a ~all")

    assert level == "problem"
    assert advice.startswith("acme.example has 2 SPF records")


@pytest.mark.parametrize("term", ["ipv4:192.0.2.1", "includes:x.example", "-al", "a:", "mx;", "include"])
def test_a_word_that_is_no_spf_spoils_the_record(term):
    level, _, advice = judged(f"v=spf1 {term} ~all")

    assert level == "problem"
    assert advice.startswith(f'"{term}" is not SPF')


ENDINGS = {"-all": "ok", "~all": "ok", "?all": "warning", "": "warning", "+all": "problem", "all": "problem"}


@pytest.mark.parametrize(("ending", "level"), ENDINGS.items())
def test_how_a_record_ends_is_judged(ending, level):
    assert judged(f"v=spf1 mx {ending}".strip())[0] == level


def test_a_redirect_stands_for_the_ending():
    finding = spf.check(
        "a.example", Table({"a.example": ["v=spf1 redirect=b.example"], "b.example": ["v=spf1 -all"]})
    )
    assert finding.level == "ok"


def test_ten_lookups_are_read_and_eleven_are_not():
    table = {"many.example": ["v=spf1 " + "mx " * 8 + "-all"]}

    ten = spf.check("a.example", Table({"a.example": ["v=spf1 include:many.example a -all"], **table}))
    eleven = spf.check("b.example", Table({"b.example": ["v=spf1 include:many.example a mx -all"], **table}))

    assert ten.level == "ok"
    assert (eleven.level, eleven.advice.split(",")[0]) == (
        "problem",
        "Reading this record takes 11 look-ups or more",
    )


def test_a_circle_of_includes_is_found_and_left():
    table = Table(
        {"a.example": ["v=spf1 include:b.example -all"], "b.example": ["v=spf1 include:a.example -all"]}
    )

    finding = spf.check("a.example", table)

    assert finding.level == "problem"
    assert "refers back to a.example" in finding.advice
    assert len(table.questions) <= 4


def test_a_long_chain_of_includes_is_not_followed_for_ever():
    table = Table({f"n{n}.example": [f"v=spf1 include:n{n + 1}.example -all"] for n in range(500)})

    finding = spf.check("n0.example", table)

    assert finding.level == "problem"
    assert len(table.questions) < 50


def test_an_include_of_nothing_is_a_problem():
    level, _, advice = judged("v=spf1 include:gone.example -all")

    assert level == "problem"
    assert "gone.example, which has no SPF records" in advice


def test_an_include_that_does_not_answer_is_only_a_warning():
    table = Table({"a.example": ["v=spf1 include:b.example -all"], "b.example": None})

    finding = asked("spf", lambda: spf.check("a.example", table))

    assert (finding.level, finding.found) == ("warning", "no answer: the name server is asleep")
