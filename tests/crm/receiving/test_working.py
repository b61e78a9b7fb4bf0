"""What becomes of mail: leads, comments on leads, or nothing, with the reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from crm import tasks
from crm.models import Attachment, Comment, Contact, Lead, LeadKey, ReceivedMail
from crm.receiving import filing, working
from crm.receiving.accepting import receive
from crm.receiving.retention import prune
from crm.receiving.working import MOST_ATTEMPTS, make_lead, try_again
from pipelime.accounts.models import Account
from pipelime.errors import Conflict
from pipelime.events.models import Event
from tests.crm.receiving.mails import NASTY, PNG, mail, parts
from tests.factories import ActivityTypeFactory, ContactFactory, LeadFactory, ReceivedMailFactory, UserFactory

NOON = datetime(2030, 5, 6, 12, tzinfo=UTC)


def work(content: bytes, *recipients: str) -> ReceivedMail:
    """Take a mail in and work on it."""
    row = receive(content, source="pipe", recipients=recipients)
    tasks.work_mail()
    row.refresh_from_db()
    return row


def test_a_mail_becomes_a_lead_of_nobody_s(account, address):
    row = work(mail(address))

    lead = Lead.objects.get()
    assert (lead.title, lead.description) == ("Loretta wants an offer", "Please call me.")
    assert (lead.owner, lead.created_by, lead.created_from) == (None, None, "lea@example.org")
    assert lead.step.name == "Incoming"
    assert (row.state, row.outcome, row.lead, row.reason) == ("done", "lead created", lead, "")
    assert row.attempts == 1


def test_the_sender_becomes_the_lead_s_contact(address):
    work(mail(address))

    contact = Lead.objects.get().contact
    assert (contact.first_name, contact.last_name) == ("Lea", "Long")
    assert [row.address for row in contact.emails.all()] == ["lea@example.org"]


def test_a_known_sender_is_linked(account, address):
    known = ContactFactory(account=account, email="lea@example.org")

    work(mail(address))

    assert Lead.objects.get().contact == known
    assert Contact.objects.count() == 1


def test_whoever_the_text_names_goes_before_the_sender(address):
    work(mail(address, sender="form@shop.example.com", text="Email: ada@example.net\nI want one."))

    lead = Lead.objects.get()
    assert [row.address for row in lead.contact.emails.all()] == ["ada@example.net"]
    assert lead.description == "Email: ada@example.net\nI want one."


def test_a_form_that_nobody_reads_the_mail_of_is_no_contact(address):
    work(mail(address, sender="Shop <no-reply@shop.example.com>"))
    work(
        mail(address, sender="Shop <noreply@shop.example.com>", subject="2", Reply_To="Ada <ada@example.net>")
    )

    without, with_reply = Lead.objects.order_by("id")
    assert without.contact is None
    assert [row.address for row in with_reply.contact.emails.all()] == ["ada@example.net"]


def test_a_mail_without_a_subject_is_named_after_its_sender(address):
    work(mail(address, subject=" "))

    assert Lead.objects.get().title == "(no subject) lea@example.org"


def test_a_long_subject_is_cut(address):
    work(mail(address, subject="word " * 100))

    title = Lead.objects.get().title
    assert (len(title), title[-1]) == (250, "…")


def test_words_with_a_hash_become_tags(address):
    text = "Our #Partner writes, in #ff0000 and #abc, about order #123, page x#y:\n> #quoted\n#Été #hot"
    work(mail(address, subject="Big deal #hot #VIP", text=text))

    lead = Lead.objects.get()
    assert lead.title == "Big deal"
    assert sorted(tag.name for tag in lead.tags.all()) == ["Partner", "VIP", "hot", "Été"]


def test_a_subject_of_nothing_but_tags_stays(address):
    work(mail(address, subject="#hot #VIP"))

    lead = Lead.objects.get()
    assert (lead.title, lead.tags.count()) == ("#hot #VIP", 2)


def test_no_mail_makes_more_than_twenty_tags(address):
    work(mail(address, text=" ".join(f"#tag{number}" for number in range(50))))

    assert Lead.objects.get().tags.count() == 20


def test_files_of_a_mail_are_the_lead_s(address):
    work(mail(address, files={"offer.txt": b"Dear Ada", "photo": PNG}))

    lead = Lead.objects.get()
    found = Attachment.objects.filter(lead=lead)
    assert [(row.name, row.content_type) for row in found] == [
        ("offer.txt", "text/plain"),
        ("photo", "image/png"),
    ]
    with default_storage.open(found[0].file) as file:
        assert file.read() == b"Dear Ada"
    assert lead.attachment_count == 2


def test_a_file_over_the_limit_is_left_out_and_the_lead_is_made(settings, address):
    settings.ATTACHMENT_LIMIT = 1024 * 1024

    row = work(mail(address, files={"film.mp4": b"x" * (1024 * 1024 + 1), "offer.txt": b"Dear Ada"}))

    assert row.outcome == "lead created"
    assert row.reason == "film.mp4 was left out: The file has 1,048,577 bytes; at most 1 MB can be attached"
    assert [attachment.name for attachment in Attachment.objects.all()] == ["offer.txt"]


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_mail_ends_as_a_lead(address, name):
    row = work(NASTY[name], address)

    assert (row.state, row.outcome, row.last_error) == ("done", "lead created", "")
    assert row.lead.title


@pytest.mark.parametrize("line", [b"Auto-Submitted: auto-replied", b"Precedence: bulk", b"Return-Path: <>"])
def test_mail_of_machines_is_kept_and_makes_no_lead(address, line):
    row = work(line + b"\r\n" + mail(address))

    assert (row.state, row.outcome) == ("done", "ignored")
    assert "It " in row.reason
    assert not Lead.objects.exists()


def test_the_same_message_by_another_way_is_no_second_lead(address):
    work(mail(address, Message_ID="<7@example.org>"))

    row = work(b"Received: by another.example.com\r\n" + mail(address, Message_ID="<7@example.org>"))

    assert (row.outcome, row.reason) == ("ignored", "The same message had come in before")
    assert Lead.objects.count() == 1


# --- Blind copies -----------------------------------------------------------


@pytest.fixture
def ada(account):
    return UserFactory(account=account, email="ada@acme.example", is_admin=False)


def lead_with(account, email: str, **facts) -> Lead:
    lead = LeadFactory(account=account, **facts)
    LeadKey.objects.create(account=account, lead=lead, value=email, value_key=email)
    return lead


def blind(**facts) -> bytes:
    return mail("Lea <lea@example.org>", sender="Ada <Ada@acme.example>", subject="Our offer", **facts)


def test_a_user_s_mail_to_somebody_with_a_lead_becomes_a_comment_on_it(account, address, ada):
    kind = ActivityTypeFactory(account=account, name="E-mail", kind="email")
    lead = lead_with(account, "lea@example.org", owner=ada)

    row = work(blind(text="As promised.", files={"offer.txt": b"Dear Lea"}), address)

    comment = Comment.objects.get()
    lead.refresh_from_db()
    assert (comment.lead, comment.author, comment.activity_type) == (lead, ada, kind)
    assert comment.content == "Our offer\n\nAs promised."
    assert [(file.name, file.lead) for file in comment.attachments.all()] == [("offer.txt", lead)]
    assert (lead.bcc_count, lead.comment_count, lead.attachment_count) == (1, 1, 1)
    assert (row.outcome, row.lead) == ("attached to a lead", lead)
    assert Lead.objects.count() == 1


def test_the_newest_open_lead_that_the_user_sees_is_meant(account, address, ada):
    Account.objects.filter(pk=account.pk).update(lead_visibility="own")
    lead_with(account, "lea@example.org", owner=ada, title="old")
    lead_with(account, "lea@example.org", owner=ada, title="meant")
    lead_with(account, "lea@example.org", owner=ada, title="won", status="won", closed_at=NOON)
    lead_with(account, "lea@example.org", owner=ada, title="deleted", deleted_at=NOON)
    lead_with(account, "lea@example.org", owner=UserFactory(account=account), title="somebody else's")

    assert work(blind(), address).lead.title == "meant"


def test_a_lead_of_a_contact_with_the_address_is_meant_too(account, address, ada):
    lead = LeadFactory(
        account=account, owner=ada, contact=ContactFactory(account=account, email="lea@example.org")
    )

    assert work(blind(), address).lead == lead


def test_a_user_s_mail_to_somebody_new_becomes_the_user_s_lead(address, ada):
    row = work(blind(text="As promised."), address)

    lead = row.lead
    assert (row.outcome, lead.title, lead.owner, lead.created_by) == ("lead created", "Our offer", ada, ada)
    assert lead.description == "Email: lea@example.org\n---\nAs promised."
    assert [found.address for found in lead.contact.emails.all()] == ["lea@example.org"]


def test_a_user_s_mail_to_blind_copies_only_becomes_the_user_s_lead(address, ada):
    content = b"From: ada@acme.example\r\nSubject: To you all\r\n\r\nAs promised."

    lead = work(content, address).lead

    assert (lead.title, lead.owner, lead.description, lead.contact) == (
        "To you all",
        ada,
        "As promised.",
        None,
    )


def test_a_user_s_mail_to_the_address_itself_becomes_a_lead(account, address, ada):
    lead_with(account, "lea@example.org", owner=ada)

    row = work(mail(f"{address}, lea@example.org", sender="ada@acme.example"))

    assert (row.outcome, row.lead.owner, row.lead.created_from) == ("lead created", None, "ada@acme.example")


def test_somebody_disabled_writes_like_a_stranger(account, address, ada):
    ada.disabled_at = NOON
    ada.save()
    lead_with(account, "lea@example.org", owner=None)

    row = work(blind(), address)

    assert (row.outcome, row.lead.owner, Comment.objects.count()) == ("lead created", None, 0)


def test_a_user_of_another_account_writes_like_a_stranger(account, address):
    UserFactory(email="ada@acme.example")
    lead_with(account, "lea@example.org")

    assert work(blind(), address).outcome == "lead created"


# --- When it does not go well -----------------------------------------------


def test_a_stumble_is_tried_again_and_leaves_no_half_lead(address, monkeypatch):
    def stumble(*args, **kwargs):
        raise RuntimeError("the storage is gone")

    monkeypatch.setattr(filing, "enclose", stumble)
    row = work(mail(address))

    assert (row.state, row.outcome, row.attempts) == ("queued", "waiting", 1)
    assert row.reason == "RuntimeError: the storage is gone"
    assert row.due_at > timezone.now()
    assert not Lead.objects.exists()


def test_a_mail_that_never_works_ends_as_failed_with_its_reason(address, monkeypatch):
    def stumble(*args, **kwargs):
        raise RuntimeError("always")

    monkeypatch.setattr(filing, "enclose", stumble)
    row = receive(mail(address), source="pipe")
    for _ in range(MOST_ATTEMPTS):
        ReceivedMail.objects.update(due_at=timezone.now())
        tasks.work_mail()

    row.refresh_from_db()
    assert (row.state, row.outcome, row.reason, row.attempts) == (
        "failed",
        "refused",
        "RuntimeError: always",
        5,
    )
    assert Event.objects.about(row).order_by("pk").last().name == "mail.refused"


def test_a_mail_that_kills_its_workers_is_given_up(address):
    row = receive(mail(address), source="pipe")
    ReceivedMail.objects.update(attempts=MOST_ATTEMPTS)

    tasks.work_mail()

    row.refresh_from_db()
    assert (row.state, row.outcome) == ("failed", "refused")
    assert row.reason == "5 attempts to read it ended before they were done."


def test_a_mail_whose_file_is_lost_is_refused_at_once(address):
    row = receive(mail(address), source="pipe")
    default_storage.delete(row.raw)

    tasks.work_mail()

    row.refresh_from_db()
    assert (row.state, row.outcome, row.attempts) == ("failed", "refused", 1)


def test_a_dead_worker_s_mail_is_worked_on_by_another(address):
    row = receive(mail(address), source="pipe")
    ReceivedMail.objects.update(state="claimed", fence=1, lease_until=timezone.now() - timedelta(minutes=1))

    tasks.work_mail()

    row.refresh_from_db()
    assert (row.state, row.outcome) == ("done", "lead created")


def test_a_worker_that_was_too_slow_writes_nothing(address):
    row = receive(mail(address), source="pipe")
    ReceivedMail.objects.update(state="claimed", fence=2, lease_until=timezone.now())

    working.work(row.pk, fence=1)

    row.refresh_from_db()
    assert (row.state, row.fence, row.attempts) == ("claimed", 2, 0)
    assert not Lead.objects.exists()


def test_a_suspended_account_s_mail_waits_until_it_works_again(account, address):
    row = receive(mail(address), source="pipe")
    Account.objects.filter(pk=account.pk).update(suspended_at=NOON)

    tasks.work_mail()
    row.refresh_from_db()
    meanwhile = row.state
    Account.objects.filter(pk=account.pk).update(suspended_at=None)
    tasks.work_mail()

    row.refresh_from_db()
    assert (meanwhile, row.state) == ("queued", "done")


def test_a_refused_mail_is_tried_again_when_a_person_wants_it(address, user):
    row = receive(mail(address), source="pipe")
    ReceivedMail.objects.update(state="failed", outcome="refused", attempts=5, due_at=NOON)
    row.refresh_from_db()

    try_again(row, by=user)
    tasks.work_mail()

    row.refresh_from_db()
    assert (row.state, row.outcome) == ("done", "lead created")
    assert Event.objects.about(row).order_by("pk").last().actor_id == user.pk


def test_a_mail_that_was_used_is_not_tried_again(address, user):
    row = work(mail(address))

    with pytest.raises(Conflict, match="This mail is done"):
        try_again(row, by=user)

    assert Lead.objects.count() == 1


def test_a_person_makes_a_lead_of_an_ignored_mail(address, user):
    row = work(b"Precedence: bulk\r\n" + mail(address))

    make_lead(row, by=user)

    row.refresh_from_db()
    assert (row.outcome, row.lead.title, row.reason) == ("lead created", "Loretta wants an offer", "")
    with pytest.raises(Conflict, match="lead created"):
        make_lead(row, by=user)


def test_what_was_settled_long_ago_is_forgotten_as_it_came(account, address, folder):
    old, new = work(mail(address, subject="old")), work(mail(address, subject="new"))
    failed = ReceivedMailFactory(
        account=account, state="failed", received_at=timezone.now() - timedelta(days=91)
    )
    ReceivedMail.objects.filter(pk=old.pk).update(received_at=timezone.now() - timedelta(days=91))

    counts = prune()

    old.refresh_from_db()
    assert counts == {"mail_files": 1}
    assert (old.raw, old.lead.title) == ("", "old")
    assert default_storage.exists(new.raw)
    failed.refresh_from_db()
    assert failed.raw


def test_pictures_within_the_text_are_kept(address):
    picture = b"Content-Type: image/png\r\nContent-ID: <1>\r\nContent-Disposition: inline\r\n\r\n" + PNG

    work(parts(b"\r\nSee below", picture), address)

    assert [row.content_type for row in Attachment.objects.all()] == ["image/png"]
