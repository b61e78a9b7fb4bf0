"""The files of a lead on its page in the workspace."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from crm.attachments import attach_file
from crm.models import Attachment
from tests.factories import LeadFactory

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def lead(account):
    return LeadFactory(account=account, title="Acme")


def form(lead, **values) -> dict:
    """What a browser posts of the lead's page, with all parts empty but for `values`."""
    parts = {}
    for prefix in ("comments", "follow_ups", "attachments"):
        parts |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    own = {"title": lead.title, "step": lead.step_id, "status": lead.status, "currency": lead.currency}
    return own | parts | values


def test_a_file_is_added_on_the_lead_s_page(browser, user, lead):
    values = {
        "attachments-TOTAL_FORMS": 1,
        "attachments-0-upload": SimpleUploadedFile("offer.txt", b"Dear Ada"),
        "attachments-0-kind": "attachment",
    }

    answer = browser.post(f"/admin/crm/lead/{lead.pk}/change/", form(lead, **values))

    attachment = Attachment.objects.get()
    assert answer.status_code == 302
    assert (attachment.lead, attachment.name, attachment.created_by) == (lead, "offer.txt", user)


def test_a_file_is_shown_and_deleted_on_the_lead_s_page(browser, user, lead):
    attachment = attach_file(lead=lead, by=user, file=SimpleUploadedFile("<i>.txt", b"Dear Ada"))
    page = browser.get(f"/admin/crm/lead/{lead.pk}/change/").content.decode()
    values = {
        "attachments-TOTAL_FORMS": 1,
        "attachments-INITIAL_FORMS": 1,
        "attachments-0-id": attachment.pk,
        "attachments-0-lead": lead.pk,
        "attachments-0-DELETE": "on",
    }

    answer = browser.post(f"/admin/crm/lead/{lead.pk}/change/", form(lead, **values))

    assert f'<a href="/attachments/{attachment.pk}">&lt;i&gt;.txt</a>' in page
    assert answer.status_code == 302
    assert not Attachment.objects.exists()


def test_a_file_that_is_refused_is_told_on_the_page(settings, browser, lead):
    settings.ATTACHMENT_LIMIT = 3
    values = {
        "attachments-TOTAL_FORMS": 1,
        "attachments-0-upload": SimpleUploadedFile("offer.txt", b"Dear Ada"),
        "attachments-0-kind": "attachment",
    }

    answer = browser.post(f"/admin/crm/lead/{lead.pk}/change/", form(lead, **values))

    assert answer.status_code == 200
    assert "The file has 8 bytes" in answer.content.decode()
    assert not Attachment.objects.exists()
