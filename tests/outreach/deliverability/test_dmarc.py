import pytest

from outreach.deliverability import dmarc, mail_hosts
from tests.names import Table


@pytest.mark.parametrize("policy", ["none", "quarantine", "reject"])
def test_any_policy_is_enough(policy):
    finding = dmarc.check("acme.example", Table({"_dmarc.acme.example": [f"v=DMARC1; p={policy}"]}))

    assert (finding.level, finding.found) == ("ok", f"v=DMARC1; p={policy} (relaxed alignment)")


def test_without_a_record_one_is_proposed():
    finding = dmarc.check("acme.example", Table({}))

    assert finding.level == "problem"
    assert finding.advice == (
        'Add a TXT record at _dmarc.acme.example: "v=DMARC1; p=none; rua=mailto:postmaster@acme.example".'
    )


def test_a_subdomain_lives_under_its_parent_s_record():
    table = Table({"_dmarc.acme.example": ["v=DMARC1; p=reject; sp=none; adkim=s; aspf=s"]})

    finding = dmarc.check("mail.acme.example", table)

    assert finding.level == "ok"
    assert finding.found.endswith("(strict alignment of SPF and DKIM)")


def test_a_top_level_domain_is_nobody_s_parent():
    table = Table({"_dmarc.example": ["v=DMARC1; p=none"]})

    assert dmarc.check("acme.example", table).level == "problem"
    assert table.questions == ["_dmarc.acme.example"]


@pytest.mark.parametrize(
    "records", [["v=DMARC1"], ["v=DMARC1; p=maybe"], ["v=DMARC1; p=none", "v=DMARC1; p=reject"]]
)
def test_a_record_that_says_nothing_clear_does_not_count(records):
    assert dmarc.check("acme.example", Table({"_dmarc.acme.example": records})).level == "problem"


@pytest.mark.parametrize(
    ("hosts", "level", "found"),
    [
        (["mx1.acme.example", "mx2.acme.example"], "ok", "mx1.acme.example, mx2.acme.example"),
        ([], "warning", "no MX record"),
        (["."], "problem", "a null MX"),
    ],
)
def test_answers_need_somewhere_to_go(hosts, level, found):
    finding = mail_hosts.check("acme.example", Table({}, mx={"acme.example": hosts}))

    assert (finding.level, finding.found) == (level, found)
