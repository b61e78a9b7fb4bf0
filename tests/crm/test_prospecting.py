"""Prospecting lists: made, filled, assigned, and turned into leads."""

from functools import partial

import pytest
from django.utils import timezone

from crm.fields import create_field
from crm.models import Comment, Lead, Prospect, ProspectingList
from crm.prospecting import (
    add_prospects,
    assign_list,
    create_list,
    delete_list,
    delete_prospect,
    lead_from_prospect,
    update_list,
    update_prospect,
)
from pipelime.accounts.models import Notice
from pipelime.errors import Conflict, Invalid, NotFound
from pipelime.events.models import Event
from pipelime.scope import account_scope
from tests.factories import (
    AccountFactory,
    CommentFactory,
    LeadFactory,
    ProspectFactory,
    ProspectingListFactory,
    StepFactory,
    TeamFactory,
    TeamMemberFactory,
    UserFactory,
)
from tests.threads import all_at_once

COLUMNS = ["Lead's name", "Firstname", "Email"]
ROWS = [["Green Corp", "Julia", "julia@example.com"], ["Red Corp", "John", "john@example.com"]]


def contents(prospecting_list):
    return list(prospecting_list.prospects.values_list("position", "content"))


def names_of_events(subject):
    return list(Event.objects.history_of(subject).order_by("pk").values_list("name", flat=True))


def test_a_list_is_made_with_its_rows(account, user, seller):
    made = create_list(
        account, by=user, title="Circle", columns=COLUMNS, rows=ROWS, tags=["circle", "Blue"], owner=seller,
        description="By Peter", privacy="everyone",
    )  # fmt: skip

    stored = ProspectingList.objects.get()
    assert (stored.title, stored.description, stored.columns) == ("Circle", "By Peter", COLUMNS)
    assert (stored.owner, stored.privacy, stored.row_count) == (seller, "everyone", 2)
    assert [tag.name for tag in made.tags.all()] == ["circle", "Blue"]
    assert contents(stored) == [(1, ROWS[0]), (2, ROWS[1])]
    assert names_of_events(stored) == ["prospecting_list.created", "prospect.created", "prospect.created"]
    assert not Notice.objects.exists()


def test_the_event_of_a_prospect_tells_the_whole_row(account, user):
    create_list(account, by=user, title="Circle", columns=COLUMNS, rows=ROWS[:1])

    prospect, event = Prospect.objects.get(), Event.objects.get(name="prospect.created")
    assert event.data["object"] == prospect.snapshot()
    assert (event.subject_id, event.actor) == (prospect.pk, user)
    assert (prospect.is_active, prospect.lead, prospect.comment_count) == (True, None, 0)


def test_a_list_may_be_empty(account, user):
    made = create_list(account, by=user, title="Circle", columns=COLUMNS)

    assert (made.row_count, made.owner, made.privacy) == (0, None, "default")


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 251}, "title"),
        ({"columns": []}, "columns"),
        ({"rows": [["a"] * 4]}, "rows"),
        ({"rows": [["a"]] * 5001}, "rows"),
        ({"privacy": "secret"}, "privacy"),
        ({"tags": "circle"}, "tags"),
    ],
)
def test_a_wrong_list_is_refused(account, user, facts, field):
    with pytest.raises(Invalid) as refusal:
        create_list(account, by=user, **{"title": "Circle", "columns": COLUMNS, **facts})

    assert field in refusal.value.fields
    assert not ProspectingList.objects.exists()
    assert not Event.objects.exists()


def test_an_owner_must_be_somebody_who_works_here(account, user, stranger):
    gone = UserFactory(account=account, disabled_at=timezone.now())

    for owner in (stranger, gone):
        with pytest.raises(Invalid):
            create_list(account, by=user, title="Circle", columns=COLUMNS, owner=owner)


def test_5000_rows_take_few_statements(account, user, django_assert_max_num_queries):
    with django_assert_max_num_queries(40):
        create_list(account, by=user, title="Circle", columns=COLUMNS, rows=ROWS * 2500)

    made = ProspectingList.objects.get()
    assert made.row_count == Prospect.objects.count() == 5000
    assert made.prospects.last().position == 5000
    assert Event.objects.filter(name="prospect.created").count() == 5000


def test_rows_are_added_at_the_end(account, user):
    made = create_list(account, by=user, title="Circle", columns=COLUMNS, rows=ROWS)
    delete_prospect(made.prospects.first(), by=user)
    before = ProspectingList.objects.get().updated_at

    added = add_prospects(made, [["Blue Corp"], ["", ""]], by=user)

    stored = ProspectingList.objects.get()
    assert contents(stored) == [(2, ROWS[1]), (3, ["Blue Corp", "", ""])]
    assert added == [stored.prospects.last()]
    assert stored.row_count == 2
    assert stored.updated_at > before


def test_nothing_to_add_adds_nothing(account, user):
    made = create_list(account, by=user, title="Circle", columns=COLUMNS)

    assert add_prospects(made, [[""]], by=user) == []


def test_a_full_list_takes_no_more(account, user):
    made = create_list(account, by=user, title="Circle", columns=["Company"], rows=[["x"]] * 4999)
    add_prospects(made, [["y"]], by=user)

    with pytest.raises(Invalid, match="5001 rows are too many; a list has at most 5000; this one has 5000"):
        add_prospects(made, [["z"]], by=user)

    assert ProspectingList.objects.get().row_count == 5000


def test_a_caller_may_take_fewer_rows_at_once(account, user):
    made = create_list(account, by=user, title="Circle", columns=["Company"])
    add_prospects(made, [["x"]] * 100, by=user, most=100)

    with pytest.raises(Invalid, match="101 rows are too many at once; send at most 100") as refusal:
        add_prospects(made, [["x"]] * 101, by=user, most=100)

    assert refusal.value.rule == "too_many_rows"
    assert Prospect.objects.count() == 100


@pytest.mark.django_db(transaction=True)
def test_two_who_append_at_once_take_different_places():
    account = AccountFactory()
    prospecting_list = ProspectingListFactory(account=account, columns=["Company"])

    def append():
        mine = ProspectingList.objects.get()
        for number in range(5):
            add_prospects(mine, [[f"{number}"]] * 3, by=None)

    all_at_once([append] * 2, account=account)

    with account_scope(account):
        prospecting_list.refresh_from_db()
        positions = list(Prospect.objects.values_list("position", flat=True))
    assert positions == list(range(1, 31))
    assert prospecting_list.row_count == 30


@pytest.mark.django_db(transaction=True)
def test_of_two_who_convert_a_prospect_at_once_one_is_told():
    account = AccountFactory()
    StepFactory(account=account)
    prospect = ProspectFactory(account=account)
    with account_scope(account):
        read_before = [Prospect.objects.get() for _ in range(2)]

    def convert(mine):
        try:
            return lead_from_prospect(mine, by=None).pk
        except Conflict as conflict:
            return f"lead {conflict.number}"

    outcomes = all_at_once([partial(convert, mine) for mine in read_before], account=account)

    with account_scope(account):
        lead = Lead.objects.get()
        prospect.refresh_from_db()
    assert sorted(outcomes, key=str) == [lead.pk, f"lead {lead.pk}"]
    assert prospect.lead_id == lead.pk


def test_a_list_changes(account, user):
    made = create_list(account, by=user, title="Circle", columns=COLUMNS, tags=["circle"])

    update_list(made, by=user, title="Square", tags=["square"], privacy="everyone", is_archived=True)

    stored = ProspectingList.objects.get()
    assert (stored.title, stored.privacy, stored.is_archived) == ("Square", "everyone", True)
    event = Event.objects.get(name="prospecting_list.updated")
    assert event.data["changes"] == {
        "title": ["Circle", "Square"],
        "privacy": ["default", "everyone"],
        "is_archived": [False, True],
        "tags": [["circle"], ["square"]],
    }


def test_an_archived_list_comes_back(account, user):
    made = create_list(account, by=user, title="Circle", columns=COLUMNS)
    update_list(made, by=user, is_archived=True)

    update_list(made, by=user, is_archived=False)

    assert ProspectingList.objects.get().archived_at is None


def test_changing_nothing_says_nothing(account, user):
    made = create_list(account, by=user, title="Circle", columns=COLUMNS, tags=["circle"], owner=user)
    before = ProspectingList.objects.get().updated_at

    update_list(made, by=user, title="Circle", tags=["Circle"], is_archived=False, owner=user)

    assert names_of_events(made) == ["prospecting_list.created"]
    assert ProspectingList.objects.get().updated_at == before


def test_columns_stay(account, user):
    made = create_list(account, by=user, title="Circle", columns=COLUMNS)

    with pytest.raises(Invalid, match="'columns' is no field of a prospecting list"):
        update_list(made, by=user, columns=["x"])


def test_a_new_owner_is_mailed(account, user, seller):
    made = create_list(account, by=user, title="Circle", columns=COLUMNS)

    assign_list(made, seller, by=user)
    assign_list(made, seller, by=user)

    notice = Notice.objects.get()
    assert (notice.to, notice.subject) == (seller.email, "Prospecting list assigned: Circle")
    assert f"/spreadsheets/{made.pk}" in notice.text
    event = Event.objects.get(name="prospecting_list.assigned")
    assert event.data["changes"]["owner"][1]["number"] == seller.pk


def test_who_wants_no_mail_or_assigns_to_oneself_gets_none(account, user):
    quiet = UserFactory(account=account, wants_assignment_mail=False)
    made = create_list(account, by=user, title="Circle", columns=COLUMNS)

    for owner in (quiet, user, None):
        assign_list(made, owner, by=user)

    assert not Notice.objects.exists()
    assert ProspectingList.objects.get().owner is None


def test_a_deleted_list_is_gone_with_its_rows(account, user):
    prospect = ProspectFactory(account=account)

    delete_list(prospect.prospecting_list, by=user)

    assert not ProspectingList.objects.alive().exists()
    assert not Prospect.objects.alive().exists()
    for again in (
        lambda: delete_list(prospect.prospecting_list, by=user),
        lambda: add_prospects(prospect.prospecting_list, [["x"]], by=user),
        lambda: update_prospect(Prospect.objects.get(), by=user, is_active=False),
        lambda: lead_from_prospect(Prospect.objects.get(), by=user),
    ):
        with pytest.raises(NotFound):
            again()


def test_a_row_changes(account, user):
    prospect = ProspectFactory(account=account, content=["Acme", "", ""])
    before = prospect.prospecting_list.updated_at

    update_prospect(prospect, by=user, content=["Acme", 5], is_active=False)
    update_prospect(prospect, by=user, content=["Acme", "5"])

    stored = Prospect.objects.get()
    assert (stored.content, stored.is_active) == (["Acme", "5", ""], False)
    assert stored.prospecting_list.updated_at > before
    event = Event.objects.get(name="prospect.updated")
    assert event.data["changes"] == {
        "content": [["Acme", "", ""], ["Acme", "5", ""]],
        "is_active": [True, False],
    }


@pytest.mark.parametrize("content", [["a", "b", "c", "d"], "Acme", [], ["", " "], [["x"]]])
def test_a_wrong_row_is_refused(account, user, content):
    prospect = ProspectFactory(account=account, content=["Acme", "", ""])

    with pytest.raises(Invalid) as refusal:
        update_prospect(prospect, by=user, content=content)

    assert refusal.value.field == "rows"
    assert Prospect.objects.get().content == ["Acme", "", ""]


def test_a_deleted_row_takes_its_comments_along_and_leaves_its_lead(account, user):
    lead = LeadFactory(account=account)
    prospect = ProspectFactory(account=account, lead=lead)
    CommentFactory(account=account, lead=None, prospect=prospect)
    number = prospect.pk

    delete_prospect(prospect, by=user)

    assert not Prospect.objects.exists()
    assert not Comment.objects.exists()
    assert Lead.objects.get() == lead
    assert Event.objects.get(name="prospect.deleted").subject_id == number


def test_a_prospect_becomes_a_lead(account, user, seller):
    step = StepFactory(account=account, name="Incoming")
    columns = ["Lead's name", "Firstname", "Fax", "Email"]
    row = ["Green Corp", "Julia", " ", "julia@example.com"]
    made = create_list(
        account, by=user, title="C", columns=columns, rows=[row], owner=seller, tags=["circle"]
    )

    lead = lead_from_prospect(made.prospects.get(), by=user, created_from="list")

    assert (lead.title, lead.step, lead.owner) == ("Green Corp", step, seller)
    assert lead.description == "Firstname: Julia\nEmail: julia@example.com"
    assert list(lead.tags.all()) == []
    assert lead.created_from == "list"
    prospect = made.prospects.get()
    assert prospect.lead == lead
    event = Event.objects.get(name="prospect.converted")
    assert (event.subject_id, event.data["lead"]["number"]) == (prospect.pk, lead.pk)
    assert names_of_events(lead)[0] == "lead.created"


def test_the_lead_is_linked_to_the_contact_whom_the_row_names(account, user):
    StepFactory(account=account)
    create_field(account, by=user, kind="lead", name="Email", meaning="email")
    row = ProspectFactory(account=account, content=["Green Corp", "julia@example.com", "1\n2"])

    lead = lead_from_prospect(row, by=user)

    assert [email.address for email in lead.contact.emails.all()] == ["julia@example.com"]
    assert lead.description == "Email: julia@example.com\nPhone: 1 2"


def test_whoever_is_named_owns_the_lead(account, user, seller):
    StepFactory(account=account)
    prospect = ProspectFactory(account=account, prospecting_list__owner=seller)

    assert lead_from_prospect(prospect, by=user, owner=user).owner == user


def test_the_lead_of_a_list_whose_owner_has_left_is_nobodys(account, user):
    gone = UserFactory(account=account, disabled_at=timezone.now())
    StepFactory(account=account)

    lead = lead_from_prospect(ProspectFactory(account=account, prospecting_list__owner=gone), by=user)

    assert lead.owner is None


@pytest.mark.parametrize(
    ("content", "title"),
    [
        (["", "Julia", ""], "Julia"),
        ([" ", " ", " Julia "], "Julia"),
        ([" Green \n Corp ", "", ""], "Green Corp"),
        (["x" * 300, "", ""], "x" * 250),
    ],
)
def test_the_title_is_one_line_that_fits(account, user, content, title):
    StepFactory(account=account)

    assert lead_from_prospect(ProspectFactory(account=account, content=content), by=user).title == title


def test_a_prospect_becomes_a_lead_once(account, user):
    StepFactory(account=account)
    prospect = ProspectFactory(account=account, content=["Green Corp", "", ""])
    lead = lead_from_prospect(prospect, by=user)

    with pytest.raises(Conflict, match="This prospect is the lead 'Green Corp' already") as conflict:
        lead_from_prospect(prospect, by=user)

    assert (conflict.value.existing, conflict.value.number) == (str(lead.uid), lead.pk)
    assert Lead.objects.count() == 1


def test_a_prospect_whose_lead_was_deleted_may_become_another(account, user):
    StepFactory(account=account)
    prospect = ProspectFactory(account=account, lead=LeadFactory(account=account, deleted_at=timezone.now()))

    lead = lead_from_prospect(prospect, by=user)

    assert Prospect.objects.get().lead == lead


def seen_lists(user):
    return sorted(row.title for row in ProspectingList.objects.visible_to(user))


@pytest.mark.parametrize(
    ("visibility", "seen"),
    [
        ("everyone", ["colleague's", "mine", "nobody's", "shared", "stranger's"]),
        ("team", ["colleague's", "mine", "shared"]),
        ("own", ["mine", "shared"]),
    ],
)
def test_people_see_shared_lists_and_those_of_whom_they_see_leads(account, user, seller, visibility, seen):
    colleague, other = UserFactory(account=account), UserFactory(account=account)
    team = TeamFactory(account=account)
    for member in (seller, colleague):
        TeamMemberFactory(account=account, team=team, user=member)
    owners = {"mine": seller, "colleague's": colleague, "stranger's": other, "nobody's": None}
    for title, owner in owners.items():
        ProspectFactory(
            account=account, prospecting_list__title=title, prospecting_list__owner=owner, content=[title]
        )
    ProspectFactory(
        account=account, prospecting_list__title="shared", prospecting_list__owner=other,
        prospecting_list__privacy="everyone", content=["shared"],
    )  # fmt: skip
    account.lead_visibility = visibility
    account.save()
    seller.refresh_from_db()

    assert seen_lists(seller) == seen
    assert sorted(str(prospect) for prospect in Prospect.objects.visible_to(seller)) == seen
    assert len(seen_lists(user)) == 5


def test_lists_count_the_rows_that_wait_in_one_query(account, django_assert_num_queries):
    for _ in range(3):
        waiting = ProspectFactory(account=account)
        ProspectFactory(account=account, prospecting_list=waiting.prospecting_list, is_active=False)
        ProspectFactory(
            account=account, prospecting_list=waiting.prospecting_list, lead=LeadFactory(account=account)
        )

    with django_assert_num_queries(2):  # the lists with their owners and counts, and the tags
        counts = [row.to_qualify_count for row in ProspectingList.objects.with_parts().with_counts()]

    assert counts == [1, 1, 1]
