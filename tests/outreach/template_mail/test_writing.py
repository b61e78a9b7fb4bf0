"""What a lead is written from a template."""

from __future__ import annotations

import pytest

from crm.models import Lead
from outreach.models import Message
from outreach.template_mail import preview_template, send_template
from outreach.unsubscribing import token_for, unsubscribe
from pipelime.errors import Invalid
from pipelime.events.models import Event
from tests.factories import (
    ContactFactory,
    LeadFactory,
)
from tests.outreach.template_mail.conftest import ADDRESS, arrived, reworded, run


def test_a_lead_gets_its_own_words_from_its_owner_s_mailbox(send, lead, seller, sink):
    message = send()

    assert run() == 1
    [mail] = arrived(sink)
    assert (mail["To"], mail["From"]) == ("Ada <ada@example.com>", "Sam Sender <zoe@example.org>")
    assert mail["Subject"] == "Loretta Inc. for Ada"
    text = mail.get_body(("plain",)).get_content()
    assert text.splitlines() == ["Dear Ada,", "", "about 900 EUR.", "", seller.email]
    assert (mail["Message-ID"], mail["List-Unsubscribe"]) == (message.message_id, None)


def test_a_worker_is_rung_for_once_it_is_queued(send, bells, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        send()

    assert "outreach.tasks.send_due" in bells


def test_the_lead_s_history_says_who_wrote_and_that_it_was_sent(send, lead, seller):
    message = send()
    run()

    events = Event.objects.history_of(lead).filter(subject_type="message").order_by("pk")
    assert [(event.name, event.actor) for event in events] == [
        ("message.queued", seller),
        ("message.sent", seller),
    ]
    shown = events[1].data["object"]
    assert (shown["template"], shown["lead_id"], shown["to"]) == ("Offer", str(lead.uid), ADDRESS)
    message.refresh_from_db()
    assert (message.state, message.campaign, message.enrolment) == ("sent", None, None)


def test_what_was_written_stays_when_template_and_lead_change(send, template, lead, user, sink):
    send()
    reworded(template, subject="Something else", body="Quite other words")
    Lead.objects.filter(pk=lead.pk).update(title="Another name")

    run()

    [mail] = arrived(sink)
    assert mail["Subject"] == "Loretta Inc. for Ada"
    assert "900 EUR" in mail.get_body(("plain",)).get_content()


def test_an_html_template_escapes_what_the_lead_says(template, lead, seller, sink):
    Lead.objects.filter(pk=lead.pk).update(title="Tom & <b>Jerry</b>")
    lead.refresh_from_db()
    reworded(template, body="<p>About {{ lead.title }}</p>")

    send_template(template, lead, by=seller)
    run()

    [mail] = arrived(sink)
    assert "<p>About Tom &amp; &lt;b&gt;Jerry&lt;/b&gt;</p>" in mail.get_body(("html",)).get_content()
    assert "About Tom & <b>Jerry</b>" in mail.get_body(("plain",)).get_content()


def test_whoever_offers_a_way_out_in_the_text_offers_it_in_the_headers_too(template, lead, seller, sink):
    reworded(template, body="Hello. {{ unsubscribe_url }}")

    message = send_template(template, lead, by=seller)
    run()
    unsubscribe(token_for(message.uid))

    [mail] = arrived(sink)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    with pytest.raises(Invalid, match=f"{ADDRESS} has unsubscribed; it is not written to again"):
        send_template(template, lead, by=seller)


def test_the_contact_fills_in_what_the_description_does_not_say(account, template, mailbox, seller, sink):
    contact = ContactFactory(account=account, email="grace@example.com", first_name="Grace", phone="123")
    lead = LeadFactory(account=account, title="Navy", owner=seller, contact=contact)
    reworded(template, subject="{{ first_name }} {{ phone }}", body="To {{ email }}")

    message = send_template(template, lead, by=seller)

    assert (message.to_address, message.subject) == ("grace@example.com", "Grace 123")
    assert message.frozen["text"] == "To grace@example.com"
    assert message.contact_uid == contact.uid


def test_the_preview_is_the_mail_and_queues_nothing(template, lead):
    shown = preview_template(template, lead)

    assert shown["subject"] == "Loretta Inc. for Ada"
    assert (shown["from"], shown["to"], shown["problems"]) == ("zoe@example.org", ADDRESS, [])
    assert not Message.objects.exists()


def test_the_preview_says_why_it_could_not_be_sent(template, lead):
    reworded(template, subject="{{ city }}")

    shown = preview_template(template, lead)

    [problem] = shown["problems"]
    assert problem.startswith("The lead does not say city: fill it in, or give the template a fallback")
    assert problem.endswith('{{ city | default: "…" }}')
