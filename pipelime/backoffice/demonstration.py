"""A believable account: people, companies, leads in all steps, and two campaigns that mail to the sink."""

from __future__ import annotations

import random
import unicodedata
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from crm.comments import create_comment
from crm.companies import create_company
from crm.contacts import create_contact
from crm.follow_ups import add_task, create_follow_up
from crm.leads import create_lead, update_lead
from crm.models import Company, Contact, Lead, Step
from crm.prospecting import create_list
from crm.tags import create_category, create_predefined_tag
from outreach.campaigns import create_campaign, pause_campaign, start_campaign
from outreach.enrolling import enrol
from outreach.mailboxes import create_mailbox
from outreach.models import Campaign, EmailAccount
from outreach.templates import create_template
from pipelime.accounts.models import Account, User
from pipelime.accounts.people import update_user
from pipelime.accounts.settings import update_account
from pipelime.backoffice import demonstration_story
from pipelime.backoffice.demonstration_words import (
    COMMENTS,
    COMPANIES,
    FAIR,
    INDUSTRIES,
    INVITATION,
    JOBS,
    NEEDS,
    OFFER,
    ONBOARDING,
    PEOPLE,
    TAGS,
)
from pipelime.errors import Conflict

CONTACTS, LEADS = 200, 40
INVITED, INTRODUCED = 24, 120  # so many, and the next ones up to this
ADDRESS = "Limetree Works Ltd\n12 Orchard Lane\nBristol BS1 4QA\nUnited Kingdom"


def fill(account: Account, *, by: User) -> None:
    """Everything or nothing. The scope of the account must be open."""
    if Contact.objects.exists() or Lead.objects.exists() or Campaign.objects.exists():
        raise Conflict(f"{account.name} has content already; the demo is for an empty account")
    chance = random.Random(account.slug)  # noqa: S311  the same account looks the same every time
    with transaction.atomic():
        if not by.first_name:
            update_user(by, by=by, first_name="Lena", last_name="Hartley")
        if not account.postal_address:
            update_account(account, by=by, postal_address=ADDRESS)
        people = add_people(account, chance, by=by)
        add_leads(account, people, chance, by=by)
        add_list(account, by=by)
        create_template(account, by=by, **OFFER)
        add_campaigns(account, by=by)


def add_people(account: Account, chance: random.Random, *, by: User) -> list[Contact]:
    companies = [
        create_company(account, by=by, name=name, domain=domain, is_client=number % 5 == 0)
        for number, (name, domain, _) in enumerate(COMPANIES)
    ]
    cities = [city for *_, city in COMPANIES]
    people = []
    for number in range(CONTACTS):
        first, last = PEOPLE[number % len(PEOPLE)] if number < len(PEOPLE) else mixed(number)
        place = number % len(companies)
        company = companies[place]
        people.append(
            create_contact(
                account, by=by, first_name=first, last_name=last, company=company,
                email=f"{plain(first)}.{plain(last)}@{company.domain}", job_title=chance.choice(JOBS),
                location=cities[place], phone=f"+44 20 7946 0{number:03d}",
                linkedin_url=f"https://www.linkedin.com/in/limetree-demo-{number:03d}",
                tags=chance.sample(TAGS, k=chance.choice((0, 1, 1, 2))),
            )
        )  # fmt: skip
    return people


def mixed(number: int) -> tuple[str, str]:
    """More people than names: first names meet other family names, and no pair comes twice."""
    round_, place = divmod(number, len(PEOPLE))
    return PEOPLE[place][0], PEOPLE[(place + 7 * round_) % len(PEOPLE)][1]


def plain(name: str) -> str:
    """A name as mailboxes spell it."""
    spelt = name.lower().translate(str.maketrans({"ø": "o", "ł": "l", "ß": "ss", "æ": "ae", "đ": "d"}))
    ascii_name = unicodedata.normalize("NFKD", spelt).encode("ascii", "ignore").decode()
    return "".join(letter for letter in ascii_name if letter.isalnum())


def add_leads(account: Account, people: list[Contact], chance: random.Random, *, by: User) -> None:
    steps = list(Step.objects.filter(pipeline__is_default=True).order_by("position"))
    now = timezone.now()
    for number in range(LEADS):
        person = people[number * 4 % len(people)]
        company: Company = person.company
        age = timedelta(days=chance.randrange(1, 80), hours=chance.randrange(24))
        # Many leads begin, few come to the end.
        step = steps[min(int(chance.triangular(0, len(steps), 0.6)), len(steps) - 1)]
        lead = create_lead(
            account, by=by, title=f"{company.name}: {chance.choice(NEEDS)}", step=step, owner=by,
            contact=person,
            client_folder=company, amount=Decimal(chance.randrange(12, 480) * 100), created_from="demo",
            probability=min(20 * step.position, 90), created_at=now - age, tags=chance.sample(TAGS, k=1),
            estimated_closing_date=(now + timedelta(days=chance.randrange(5, 90))).date(),
            description=f"Email: {person.email}\nJob: {person.job_title}\n---\n{chance.choice(COMMENTS)}",
        )  # fmt: skip
        decide(lead, number, now, by=by)
        if number % 4 == 0:
            create_comment(lead, by=by, content=chance.choice(COMMENTS))


def decide(lead: Lead, number: int, now: Any, *, by: User) -> None:
    if number % 8 == 3:
        update_lead(lead, by=by, status=Lead.Status.WON)
        follow_up = create_follow_up(lead, by=by, title="Onboarding", owner=by)
        for title in ONBOARDING:
            add_task(follow_up, by=by, title=title, owner=by)
    elif number % 8 == 6:
        update_lead(lead, by=by, status=Lead.Status.LOST)
    elif number % 5 == 1:
        update_lead(
            lead, by=by, status=Lead.Status.STANDBY, remind_date=(now + timedelta(days=number % 9 + 1)).date()
        )


def add_list(account: Account, *, by: User) -> None:
    """What came home from a fair, a lead that is nobody's yet, and words to file leads under."""
    columns, *rows = FAIR
    create_list(
        account, by=by, title="Northern trade fair", description="Cards from our stand", columns=columns,
        rows=rows, owner=by, tags=["fair"],
    )  # fmt: skip
    create_lead(
        account, by=by, title="Somebody asks for a price list", created_from="demo",
        description="Full name: Nora Bergström\nEmail: nora@bergstroem.example\n---\nWrote to us by herself.",
    )  # fmt: skip
    industry = create_category(account, by=by, name="Industry")
    for name in INDUSTRIES:
        create_predefined_tag(account, by=by, name=name, category=industry)


def add_campaigns(account: Account, *, by: User) -> None:
    """One is through as soon as the worker has sent its mails. The other has run for a week, as it were."""
    mailbox = sender(account, by=by)
    invitation = create_campaign(
        account, by=by, name="Invitation to the spring workshop", mailboxes=[mailbox], steps=[INVITATION]
    )
    ids = list(Contact.objects.order_by("pk").values_list("pk", flat=True))
    enrol(invitation, Contact.objects.filter(pk__in=ids[:INVITED]), by=by)
    introduced = Contact.objects.filter(pk__in=ids[INVITED:INTRODUCED])
    introduction = demonstration_story.tell(account, introduced, server=sink(), by=by)
    if settings.SINK_PORT:
        start_campaign(invitation, by=by)
    else:
        pause_campaign(introduction, by=by)


def sender(account: Account, *, by: User) -> EmailAccount:
    return create_mailbox(
        account, by=by, email="lena@limetree.example", name="Lena from Limetree", smtp=sink(), daily_limit=500
    )


def sink() -> dict[str, Any]:
    """The mail server on this machine: nothing leaves it."""
    return {"host": "127.0.0.1", "port": settings.SINK_PORT or 2525, "security": "none"}
