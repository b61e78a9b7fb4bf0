"""The sidebar: what people do in a day at the top, what is set up once at the bottom."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from outreach.models import Conversation
from pipelime.backoffice import sink
from pipelime.backoffice.admin import is_admin

INBOX = "outreach_conversation_changelist"
SENDERS = "Senders"
MOST_UNREAD = 99  # a badge says that there are more
# (title, icon, name of the list page)
SECTIONS: dict[str, list[tuple[str, str, str]]] = {
    "Sales": [
        ("Leads", "target", "crm_lead_changelist"),
        ("Prospecting", "view_list", "crm_prospectinglist_changelist"),
        ("Follow-ups", "checklist", "crm_followup_changelist"),
        ("Follow-up tasks", "task_alt", "crm_followuptask_changelist"),
        ("Contacts", "group", "crm_contact_changelist"),
        ("Companies", "apartment", "crm_company_changelist"),
        ("Comments", "chat_bubble", "crm_comment_changelist"),
    ],
    "Outreach": [
        ("Campaigns", "campaign", "outreach_campaign_changelist"),
        ("Inbox", "inbox", INBOX),
        ("Tasks", "event_available", "outreach_todo"),
        ("Messages", "outgoing_mail", "outreach_message_changelist"),
        ("Enrolments", "playlist_add_check", "outreach_enrolment_changelist"),
        ("Templates", "draft", "outreach_emailtemplate_changelist"),
    ],
    SENDERS: [
        ("Mailboxes", "mail", "outreach_emailaccount_changelist"),
        ("LinkedIn accounts", "badge", "outreach_linkedinaccount_changelist"),
        ("Sending domains", "verified_user", "outreach_sendingdomain_changelist"),
        ("Blocklist", "block", "outreach_blocklistentry_changelist"),
        ("Suppressions", "unsubscribe", "outreach_suppression_changelist"),
    ],
    "Data": [
        ("Received mail", "move_to_inbox", "crm_receivedmail_changelist"),
        ("Imports", "upload_file", "crm_importjob_changelist"),
        ("Exports", "download", "crm_exportjob_changelist"),
        ("Tags", "sell", "crm_tag_changelist"),
        ("Tag categories", "category", "crm_tagcategory_changelist"),
        ("Fields", "list_alt", "crm_field_changelist"),
        ("History", "history", "events_event_changelist"),
    ],
    "Integrations": [
        ("API keys", "key", "accounts_apikey_changelist"),
        ("Webhooks", "webhook", "webhooks_endpoint_changelist"),
        ("Deliveries", "send", "webhooks_delivery_changelist"),
    ],
    "Settings": [
        ("Account", "settings", "accounts_account_changelist"),
        ("Pipelines", "view_kanban", "crm_pipeline_changelist"),
        ("Activity types", "call", "crm_activitytype_changelist"),
        ("Users", "manage_accounts", "accounts_user_changelist"),
        ("Teams", "groups", "accounts_team_changelist"),
        ("Notices", "notifications", "accounts_notice_changelist"),
    ],
}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    if getattr(request, "account", None) is None:
        return []
    home = [item(request, "Overview", "dashboard", "index")]
    groups = [{"items": home}]
    for title, entries in SECTIONS.items():
        items = [item(request, *entry) for entry in entries]
        if title == SENDERS and sink.is_open() and is_admin(request):
            items.append(item(request, "Mail sink", "inbox", "mail_sink"))
        folded = title in ("Data", "Integrations", "Settings")
        groups.append({"title": title, "items": items, "collapsible": folded, "separator": True})
    if request.user.is_superuser and request.user.account_id is None:
        groups[0]["items"].append(item(request, "Other accounts", "switch_account", "choose_account"))
    return groups


def item(request: HttpRequest, title: str, icon: str, page: str) -> dict[str, Any]:
    link = reverse(f"admin:{page}")
    active = request.path == link if page == "index" else request.path.startswith(link)
    badge = {"badge": unread(request), "badge_variant": "primary"} if page == INBOX else {}
    return {"title": title, "icon": icon, "link": link, "active": active, **badge}


def unread(request: HttpRequest) -> str:
    """How many conversations wait for this person; "" for none."""
    waiting = Conversation.objects.waiting_for(request.user).values_list("pk", flat=True)
    count = len(waiting[: MOST_UNREAD + 1])
    return f"{MOST_UNREAD}+" if count > MOST_UNREAD else str(count or "")
