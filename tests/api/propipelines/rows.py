"""An account with what the document's examples speak of, made by the same verbs as in real life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from crm.attachments import attach_file, attach_link
from crm.calls import record_call
from crm.comments import create_comment
from crm.companies import create_company
from crm.fields import create_field
from crm.leads import create_lead, update_lead
from crm.models import Lead, Step
from crm.opening import open_account
from crm.prospecting import create_list
from crm.tags import create_category, create_predefined_tag
from outreach.models import EmailAccount, EmailTemplate
from pipelime.accounts.people import invite_user
from pipelime.accounts.teams import create_team
from pipelime.api.propipelines.resources import ProPipeLinesViewSet
from pipelime.scope import account_scope
from tests.api.dialects import DIALECTS

PASSWORD = "correct horse battery staple"
NATALIA = (
    "Firstname: Natalia\nLastname: Bawer\nFull name: Natalia Bawer\nEmail: natalia.bawer@loretta-inc.com\n"
    "Phone: 801 274 6798\nMobile: 832 764 1930 \n"
    "Address: 1234 N 7864 W President Bld - Salt Lake City, UT 84105\n"
    "Web: http://more-info-loretta.com\nDepartment: Sales\n--- Notes ---\n \nMet at a seminar."
)
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
)


@dataclass
class Rows:
    """What is there, by the names that requests use in their paths and bodies."""

    key: str
    named: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.named[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def ids(self) -> dict[str, int]:
        return {name: row.pk for name, row in self.named.items() if hasattr(row, "pk")}

    def client(self):
        return DIALECTS[ProPipeLinesViewSet].client(self.key)


def seeded() -> Rows:
    opened = open_account(
        "Stone Sales", email="stef@example.com", password=PASSWORD, currency="USD", time_zone="America/Denver"
    )
    with account_scope(opened.account):
        return Rows(opened.raw_key, named(opened.account, opened.user))


def named(account, stef) -> dict[str, Any]:
    people = people_of(account, stef)
    folder = create_company(
        account, by=stef, name="Acme", description="Address: 2344 Paradise Av", is_client=True, owner=stef
    )
    leads = leads_of(account, stef, folder)
    return {
        "account": account,
        "stef": stef,
        "folder": folder,
        **people,
        **leads,
        **parts_of(account, stef, leads),
    }


def people_of(account, stef) -> dict[str, Any]:
    for name, value in {"first_name": "Stéphanie", "last_name": "Stone", "phone": "2223334444"}.items():
        setattr(stef, name, value)
    stef.save()
    juliette = invite_user(
        account, email="juliette@example.com", by=stef, first_name="Juliette", last_name="Rose"
    )
    team = create_team(account, by=stef, name="Web Sales", members=[(stef, True), (juliette, False)])
    return {"juliette": juliette, "team": team}


def leads_of(account, stef, folder) -> dict[str, Any]:
    first, second = Step.objects.all()[:2]
    create_field(account, by=stef, kind="lead", name="Department", meaning="job")
    facts = {
        "tags": ["US", "small"],
        "owner": stef,
        "client_folder": folder,
        "amount": 2400,
        "probability": 30,
    }
    loretta = create_lead(account, by=stef, title="Loretta Inc.", description=NATALIA, step=first, **facts)
    update_lead(
        loretta, by=stef, status="standby", remind_date="2030-03-12", remind_time="09:00",
        reminder_duration=30, starred=True,
    )  # fmt: skip
    twin = create_lead(account, by=stef, title="Loretta Inc.", description=NATALIA, **facts)
    stray = create_lead(
        account,
        by=None,
        title="Nobody's",
        description="Call them",
        tags=["US"],
        created_from="me@example.com",
    )
    return {"lead": loretta, "twin": twin, "stray": stray, "second_step": second}


def parts_of(account, stef, leads: dict[str, Lead]) -> dict[str, Any]:
    lead = leads["lead"]
    comment = create_comment(lead, by=stef, content="This is a comment")
    card = attach_file(by=stef, file=SimpleUploadedFile("card.png", PNG), lead=lead, kind="business_card")
    attachment = attach_file(by=stef, file=SimpleUploadedFile("offer.txt", b"An offer\n"), lead=lead)
    attach_link(
        by=stef, url="https://mycompany.freshbooks.com/showEstimate?estimateid=34432", name="0000004",
        kind="freshbooks_estimate", lead=lead,
    )  # fmt: skip
    attach_link(
        by=stef, url="https://www.dropbox.com/s/x/780_3.pdf?dl=0", name="780_3.pdf", kind="dropbox",
        comment=comment,
    )  # fmt: skip
    category = create_category(account, by=stef, name="Origin")
    create_predefined_tag(account, by=stef, name="Europe", category=category)
    sheet = create_list(
        account, by=stef, title="Circle prospects", description="Around", tags=["circle"], owner=stef,
        columns=["Lead's name", "Firstname", "Lastname", "Email", "Phone"],
        rows=[
            ["Acme Corp", "John", "Doe", "john.doe@acme.com", "222 333 4444"],
            ["EuropaCorp", "Luc", "Besson", "luc.besson@europacorp.com", "555 333 5678"],
        ],
    )  # fmt: skip
    prospect, other = sheet.prospects.all()
    record_call(prospect, by=stef, phone="222 333 4444")
    EmailAccount.objects.create(account=account, email="stef@example.com", smtp_host="127.0.0.1", owner=stef)
    template = EmailTemplate.objects.create(
        account=account, name="Hello", subject="Hello {{ first_name }}", body="Hello", is_shared=True
    )
    return {
        "comment": comment, "attachment": attachment, "card": card, "category": category, "sheet": sheet,
        "prospect": prospect, "other_prospect": other, "template": template,
    }  # fmt: skip
