"""E-mail templates: making, changing and deleting what people write to single leads with."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction

from outreach.letters import draft_of
from outreach.models import EmailTemplate
from outreach.template_data import known_names
from outreach.templating import LONGEST_TEMPLATE, TemplateInvalid, check
from pipelime.accounts.acting import person_acting
from pipelime.accounts.models import Account, User
from pipelime.errors import Invalid, NotAllowed
from pipelime.events.recording import record

LONGEST = {"name": 250, "subject": 998, "body": LONGEST_TEMPLATE}
CHANGEABLE = (*LONGEST, "is_shared")


@transaction.atomic
def create_template(
    account: Account,
    *,
    by,
    name: str,
    subject: str,
    body: str,
    is_shared: bool = True,
    users: Collection[User] = (),
) -> EmailTemplate:
    """`users` may use it when it is not shared with everybody; its author always may."""
    template = EmailTemplate(
        account=account,
        **cleaned({"name": name, "subject": subject, "body": body, "is_shared": is_shared}),
        created_by=person_acting(by, account.pk),
    )
    check_words(template)
    template.save()
    set_users(template, users)
    record("email_template.created", template, by=by)
    return template


@transaction.atomic
def update_template(template: EmailTemplate, *, by, **changes: Any) -> EmailTemplate:
    """Change what is given. What was written with it before stays as it was written."""
    refuse_strangers(template, by)
    users = changes.pop("users", None)
    if unknown := sorted(set(changes) - set(CHANGEABLE)):
        raise Invalid(f"A template has no {unknown[0]!r} to change", field=unknown[0])
    before = {name: getattr(template, name) for name in CHANGEABLE}
    for name, value in cleaned(changes).items():
        setattr(template, name, value)
    check_words(template)
    changed = {name: [old, getattr(template, name)] for name, old in before.items()}
    changed = {name: pair for name, pair in changed.items() if pair[0] != pair[1]}
    if users is not None and set_users(template, users):
        changed["users"] = [None, "changed"]
    if changed:
        template.save()
        record("email_template.updated", template, by=by, changes=changed)
    return template


@transaction.atomic
def delete_template(template: EmailTemplate, *, by) -> None:
    refuse_strangers(template, by)
    record("email_template.deleted", template, by=by)
    template.delete()


def refuse_strangers(template: EmailTemplate, by) -> None:
    """What others rely on is changed by its author and by administrators. Keys act for the account."""
    if isinstance(by, User) and not (by.is_admin or by.is_superuser or by.pk == template.created_by_id):
        raise NotAllowed(f"Only its author and administrators may change the template {template.name}")


def set_users(template: EmailTemplate, users: Collection[User]) -> bool:
    """Whether that changed anything."""
    for user in users:
        if user.account_id != template.account_id:
            raise Invalid("The users of a template are people of its account", field="users")
    before = set(template.users.values_list("pk", flat=True))
    template.users.set(users)
    return before != {user.pk for user in users}


def cleaned(values: dict[str, Any]) -> dict[str, Any]:
    return {name: clean(name, value) for name, value in values.items()}


def clean(name: str, value: Any) -> Any:
    if name not in LONGEST:
        if not isinstance(value, bool):
            raise Invalid(f"{name} is true or false, not {value!r}", field=name)
        return value
    if not isinstance(value, str) or not value.strip():
        raise Invalid(f"A template needs a {name}", field=name)
    if len(value) > LONGEST[name]:
        raise Invalid(f"The {name} has {len(value):,} characters; at most {LONGEST[name]:,}", field=name)
    return value if name == "body" else value.strip()


def check_words(template: EmailTemplate) -> None:
    """Everything that is wrong with the Liquid of subject and body, each fault under its field."""
    known, faults = known_names(), {}
    for name in ("subject", "body"):
        if found := check(getattr(template, name), known):
            faults[name] = found
    if not faults:
        faults = compiled(template)
    if faults:
        words = " ".join(f"{name}: {fault}." for name, found in faults.items() for fault in found)
        raise Invalid(words, fields=faults, rule="template_invalid")


def compiled(template: EmailTemplate) -> dict[str, list[str]]:
    """As it will be compiled for sending, for HTML differs."""
    try:
        draft_of(template.subject, template.body)
    except TemplateInvalid as error:
        return {"body": [str(error)]}
    return {}
