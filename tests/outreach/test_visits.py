from datetime import UTC, datetime, timedelta

import pytest

from outreach.models import Enrolment, Message, TrackedLink, Visit
from outreach.visits import MOST_VISITS, in_bursts, judge, looks_automatic, note, prune
from pipelime.events.models import Event
from pipelime.scope import every_account
from tests.factories import MessageFactory

SENT = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)
LATER = SENT + timedelta(hours=2)
NOW = LATER + timedelta(minutes=1)
SECOND = timedelta(seconds=1)
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


@pytest.fixture
def message(account) -> Message:
    return MessageFactory(account=account, state="sent", sent_at=SENT)


@pytest.fixture
def link(account) -> TrackedLink:
    return TrackedLink.objects.create(account=account, url="https://a.example/", digest="a")


@pytest.fixture
def visit(account, message):
    def made(at: datetime = LATER, link: TrackedLink | None = None, **facts) -> Visit:
        return Visit.objects.create(account=account, message=message, link=link, at=at, **facts)

    return made


def marks(message: Message) -> set[str]:
    message.refresh_from_db()
    names = ("opened_at", "clicked_at", "machine_opened_at", "machine_clicked_at")
    return {name for name in names if getattr(message, name)}


def events() -> list[tuple]:
    found = Event.objects.filter(name__in=("message.opened", "message.clicked")).order_by("pk")
    return [(event.name, event.data["by_machine"], event.data.get("url")) for event in found]


def test_an_open_and_a_click_long_after_the_sending_are_a_person_s(message, visit, link):
    visit()
    visit(LATER + 20 * SECOND, link)

    assert judge(NOW) == 2

    assert marks(message) == {"opened_at", "clicked_at"}
    assert message.opened_at == LATER
    assert events() == [("message.opened", False, None), ("message.clicked", False, "https://a.example/")]


def test_a_person_s_click_is_noted_with_the_contact_s_place(message, visit, link):
    visit(LATER, link)

    judge(NOW)

    assert Enrolment.objects.get().clicked_at == LATER


def test_a_machine_s_click_is_nobody_s(message, visit, link):
    visit(LATER, link, looks_automatic=True)

    judge(NOW)

    assert marks(message) == {"machine_clicked_at"}
    assert Enrolment.objects.get().clicked_at is None
    assert events() == [("message.clicked", True, "https://a.example/")]


@pytest.mark.parametrize(("after", "mark"), [(9, "machine_clicked_at"), (10, "clicked_at")])
def test_a_click_right_after_the_sending_is_a_scanner_s(message, visit, link, after, mark):
    visit(SENT + after * SECOND, link)

    judge(NOW)

    assert marks(message) == {mark}


def test_how_soon_is_too_soon_is_the_operator_s_choice(message, visit, link, settings):
    settings.TRACKING_MACHINE_SECONDS = 60
    visit(SENT + 45 * SECOND, link)

    judge(NOW)

    assert marks(message) == {"machine_clicked_at"}


@pytest.mark.parametrize(("count", "mark"), [(4, "clicked_at"), (5, "machine_clicked_at")])
def test_five_visits_in_a_second_are_a_machine_s(message, visit, link, count, mark):
    for number in range(count):
        visit(LATER + number * SECOND / 5, link)

    judge(NOW)

    assert marks(message) == {mark}


def test_a_burst_takes_nothing_from_the_person_who_comes_after_it(message, visit, link):
    for _ in range(6):
        visit(SENT + 43 * SECOND, link)
    visit(LATER, link)

    judge(NOW)

    assert marks(message) == {"clicked_at", "machine_clicked_at"}
    assert message.clicked_at == LATER


def test_a_verdict_waits_until_the_burst_is_over(message, visit):
    visit(NOW - 29 * SECOND)

    assert judge(NOW) == 0
    assert judge(NOW + SECOND) == 1


def test_what_was_judged_counts_in_the_burst_of_what_comes_late(message, visit, link):
    for number in range(4):
        visit(LATER + number * SECOND / 10, link, verdict="machine")
    visit(LATER + SECOND / 2, link)

    judge(NOW)

    assert marks(message) == {"machine_clicked_at"}


def test_only_the_first_of_each_kind_goes_on_record(message, visit, link):
    for minutes in range(3):
        visit(LATER - timedelta(minutes=minutes), link)
    judge(NOW)
    visit(LATER + SECOND, link)

    judge(NOW)

    assert message.visits.filter(verdict="").count() == 0
    assert len(events()) == 1
    message.refresh_from_db()
    assert message.clicked_at == LATER - timedelta(minutes=2)


def test_judging_twice_changes_nothing(message, visit):
    visit()
    judge(NOW)

    assert judge(NOW) == 0
    assert len(events()) == 1


def test_many_visits_are_judged_with_few_queries(account, django_assert_max_num_queries):
    messages = [MessageFactory(account=account, state="sent", sent_at=SENT) for _ in range(3)]
    Visit.objects.bulk_create(
        Visit(account=account, message=message, at=LATER + n * SECOND * 60, verdict="person")
        for message in messages
        for n in range(40)
    )
    Visit.objects.filter(message=messages[0]).update(verdict="")

    with django_assert_max_num_queries(15):
        judge(NOW + timedelta(hours=1))


def test_a_reload_in_a_loop_fills_no_table(message, account):
    Visit.objects.bulk_create(Visit(account=account, message=message) for _ in range(MOST_VISITS - 1))

    note(message, None, looks_automatic=False)
    note(message, None, looks_automatic=False)

    assert message.visits.count() == MOST_VISITS


def test_old_visits_are_let_go_once_they_are_judged(visit):
    visit(datetime(2020, 1, 1, tzinfo=UTC), verdict="person")
    kept = {visit(datetime(2020, 1, 1, tzinfo=UTC)).pk, visit(verdict="person").pk}

    with every_account():
        assert prune() == {"visits": 1}

    assert set(Visit.objects.values_list("pk", flat=True)) == kept


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"User-Agent": CHROME}, False),
        ({"User-Agent": "Mozilla/4.0 (compatible; ms-office; MSOffice 16)"}, False),
        ({"User-Agent": IPHONE}, False),
        ({}, True),
        ({"User-Agent": "Mozilla/5.0"}, True),
        ({"User-Agent": GMAIL}, True),
        ({"User-Agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}, True),
        ({"User-Agent": "python-requests/2.32"}, True),
        ({"User-Agent": "Barracuda Sentinel (EE)"}, True),
        ({"User-Agent": CHROME, "Sec-Purpose": "prefetch;prerender"}, True),
        ({"User-Agent": CHROME, "Purpose": "prefetch"}, True),
        ({"User-Agent": CHROME, "X-Moz": "prefetch"}, True),
    ],
)  # fmt: skip
def test_programs_are_known_by_what_they_say_of_themselves(headers, expected):
    assert looks_automatic(headers) is expected


def test_a_burst_is_five_within_a_second_wherever_it_begins():
    moments = [LATER + offset * SECOND for offset in (0, 0.9, 1.1, 1.2, 1.5, 1.8, 3)]

    assert in_bursts(moments) == [False, True, True, True, True, True, False]
    assert in_bursts([]) == []
