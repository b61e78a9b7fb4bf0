"""E-mail templates: what may be written, who may use one and who may change it."""

from __future__ import annotations

import pytest

from outreach.models import EmailTemplate
from outreach.templates import create_template, delete_template, update_template
from pipelime.errors import Invalid, NotAllowed
from pipelime.events.models import Event
from tests.factories import EmailTemplateFactory, FieldFactory, UserFactory

WORDS = {"name": "Intro", "subject": "Hello {{ first_name }}", "body": "About {{ lead.title }}."}


def told(template: EmailTemplate) -> list[str]:
    return list(Event.objects.about(template).order_by("pk").values_list("name", flat=True))


def test_a_template_is_made_by_its_author_and_told(account, user):
    template = create_template(account, by=user, **WORDS)

    event = Event.objects.get()
    assert (template.created_by, template.is_shared) == (user, True)
    assert (event.name, event.actor, event.data["object"]["name"]) == (
        "email_template.created",
        user,
        "Intro",
    )


@pytest.mark.parametrize(
    ("field", "text", "fault"),
    [
        ("subject", "Hello {{ first_name", "{{ is never closed"),
        ("subject", "{{ fist_name }}", "unknown variable fist_name: did you mean first_name?"),
        ("body", "{% if lead.amount %}yes", "line 1"),
        ("body", "{{ lead.titel }}", "unknown variable lead.titel: did you mean lead.title?"),
        ("body", "{{ lead.title | shout }}", "unknown filter shout"),
        ("body", "{% for n in (1..9999999) %}x{% endfor %}", "has over 1,000 numbers"),
        ("body", " ", "A template needs a body"),
        ("name", "n" * 251, "The name has 251 characters; at most 250"),
    ],
)
def test_what_cannot_be_sent_is_refused_when_it_is_saved(account, user, field, text, fault):
    with pytest.raises(Invalid) as refusal:
        create_template(account, by=user, **WORDS | {field: text})

    assert fault in str(refusal.value)
    assert list(refusal.value.fields) == [field]
    assert not EmailTemplate.objects.exists()


def test_every_fault_is_named_at_once(account, user):
    with pytest.raises(Invalid) as refusal:
        create_template(account, by=user, name="Intro", subject="{{ a1 }}", body="{{ b2 }} {{ c3 }}")

    assert {name: len(faults) for name, faults in refusal.value.fields.items()} == {"subject": 1, "body": 2}


def test_a_template_may_use_what_the_account_calls_its_fields(account, user):
    FieldFactory(account=account, kind="lead", name="Budget", key="budget")

    template = create_template(
        account, by=user, **WORDS | {"body": '{{ fields.budget }} {{ fields["Budget"] }} {{ city }}'}
    )

    assert template.body.startswith("{{ fields.budget }}")


def test_a_change_tells_what_it_was_before(account, user):
    template = create_template(account, by=user, **WORDS)

    update_template(template, by=user, subject="Good day", name="Intro")

    event = Event.objects.about(template).last()
    assert event.name == "email_template.updated"
    assert event.data["changes"] == {"subject": ["Hello {{ first_name }}", "Good day"]}


def test_a_change_that_changes_nothing_says_nothing(account, user):
    template = create_template(account, by=user, **WORDS)

    update_template(template, by=user, users=[], **WORDS)

    assert told(template) == ["email_template.created"]


def test_a_broken_change_leaves_the_template_as_it_was(account, user):
    template = create_template(account, by=user, **WORDS)

    with pytest.raises(Invalid, match="never closed"):
        update_template(template, by=user, body="{{ lead.title")

    template.refresh_from_db()
    assert template.body == WORDS["body"]


def test_an_unknown_value_is_refused_by_name(account, user):
    template = create_template(account, by=user, **WORDS)

    with pytest.raises(Invalid, match="no 'colour' to change"):
        update_template(template, by=user, colour="red")


def test_a_shared_template_is_everybody_s_and_a_private_one_its_users(account, user, seller):
    shared = EmailTemplateFactory(account=account, created_by=user)
    private = EmailTemplateFactory(account=account, created_by=user, is_shared=False)
    given = create_template(account, by=user, is_shared=False, users=[seller], **WORDS)
    own = create_template(account, by=seller, is_shared=False, users=[seller], **WORDS)

    assert set(EmailTemplate.objects.usable_by(seller)) == {shared, given, own}
    assert EmailTemplate.objects.usable_by(seller).count() == 3
    assert set(EmailTemplate.objects.usable_by(user)) == {shared, private, given, own}
    assert set(EmailTemplate.objects.usable_by(None)) == {shared, private, given, own}


def test_only_its_author_and_administrators_change_a_template(account, user, seller):
    own = create_template(account, by=seller, **WORDS)
    foreign = create_template(account, by=user, **WORDS)

    update_template(own, by=seller, name="Mine")
    update_template(own, by=user, name="Ours")
    with pytest.raises(NotAllowed, match="Only its author"):
        update_template(foreign, by=seller, name="Mine")
    with pytest.raises(NotAllowed, match="Only its author"):
        delete_template(foreign, by=seller)

    assert set(EmailTemplate.objects.values_list("name", flat=True)) == {"Ours", "Intro"}


def test_people_of_other_accounts_cannot_be_given_a_template(account, user, stranger):
    with pytest.raises(Invalid, match="people of its account"):
        create_template(account, by=user, users=[stranger], **WORDS)

    assert not EmailTemplate.objects.exists()


def test_a_deleted_template_is_told_and_gone(account, user):
    template = create_template(account, by=user, users=[UserFactory(account=account)], **WORDS)

    delete_template(template, by=user)

    assert not EmailTemplate.objects.exists()
    assert Event.objects.filter(name="email_template.deleted").get().data["object"]["name"] == "Intro"
