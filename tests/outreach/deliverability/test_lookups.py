import dns.exception
import dns.resolver
import pytest

from outreach.deliverability.lookups import SystemResolver, Unanswered, resolver
from tests.names import Silent


@pytest.fixture
def system(monkeypatch):
    """What the system's resolver is asked, and an answer or an error of one's own."""

    def answering(answer):
        asked = []

        def resolve(name, kind, **kwargs):
            asked.append((name, kind, kwargs))
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(dns.resolver, "resolve", resolve)
        return asked

    return answering


def test_a_long_text_in_several_strings_is_one(system):
    system([type("Record", (), {"strings": (b"v=spf1 ", b"-all")})])

    assert SystemResolver().txt("a.example") == ["v=spf1 -all"]


class NoSuchType(dns.resolver.NoAnswer):
    """As dnspython raises it, without the packet that it wants to quote."""

    supp_kwargs = frozenset()
    fmt = None


@pytest.mark.parametrize("error", [dns.resolver.NXDOMAIN(), NoSuchType()], ids=["name", "type"])
def test_a_no_is_an_empty_answer(system, error):
    system(error)

    assert SystemResolver().txt("a.example") == []


@pytest.mark.parametrize("error", [dns.exception.Timeout(), dns.resolver.NoNameservers()])
def test_silence_is_no_answer(system, error):
    system(error)

    with pytest.raises(Unanswered):
        SystemResolver().mx("a.example")


def test_after_the_deadline_nobody_is_asked(system):
    asked = system([])

    with pytest.raises(Unanswered, match="too long"):
        SystemResolver(seconds=0).txt("a.example")

    assert asked == []


def test_one_question_never_takes_all_the_time(system):
    asked = system([])

    SystemResolver(seconds=5).txt("a.example")

    assert asked[0][2]["lifetime"] == pytest.approx(2.0)


def test_hosts_come_in_the_order_of_preference(system):
    class Exchange:
        def __init__(self, preference, name):
            self.preference = preference
            self.exchange = dns.name.from_text(name)

    system([Exchange(20, "b.example."), Exchange(10, "a.example.")])

    assert SystemResolver().mx("a.example") == ["a.example", "b.example"]


def test_no_test_asks_a_real_name_server():
    assert isinstance(resolver(), Silent)
