"""The catalogue of event names, each with its sentence for people. Endpoints subscribe to these."""

from __future__ import annotations

# name: what a person reads, with {subject} for the row's own title.
SENTENCES = {
    "contact.created": "added the contact {subject}",
    "contact.updated": "changed the contact {subject}",
    "contact.deleted": "deleted the contact {subject}",
    "contact.unsubscribed": "{subject} unsubscribed",
    "contact.bounced": "mail to {subject} bounced",
    "company.created": "added the company {subject}",
    "company.updated": "changed the company {subject}",
    "company.deleted": "deleted the company {subject}",
    "lead.created": "created the lead {subject}",
    "lead.updated": "changed the lead {subject}",
    "lead.step_changed": "moved the lead {subject} to another step",
    "lead.status_changed": "changed the status of the lead {subject}",
    "lead.assigned": "assigned the lead {subject}",
    "lead.deleted": "deleted the lead {subject}",
    "lead.restored": "restored the lead {subject}",
    "comment.created": "commented on {subject}",
    "comment.updated": "changed a comment on {subject}",
    "comment.deleted": "deleted a comment on {subject}",
    "pipeline.created": "created the pipeline {subject}",
    "pipeline.updated": "changed the pipeline {subject}",
    "pipeline.deleted": "deleted the pipeline {subject}",
    "step.created": "created the step {subject}",
    "step.updated": "changed the step {subject}",
    "step.deleted": "deleted the step {subject}",
    "field.created": "defined the field {subject}",
    "field.updated": "changed the field {subject}",
    "field.deleted": "deleted the field {subject}",
    "tag.created": "created the tag {subject}",
    "import.started": "started the import {subject}",
    "import.finished": "the import {subject} finished",
    "import.failed": "the import {subject} failed",
    "import.undone": "undid the import {subject}",
    "export.requested": "exported {subject}",
    "campaign.created": "created the campaign {subject}",
    "campaign.updated": "changed the campaign {subject}",
    "campaign.started": "started the campaign {subject}",
    "campaign.paused": "paused the campaign {subject}",
    "campaign.resumed": "resumed the campaign {subject}",
    "campaign.finished": "the campaign {subject} finished",
    "campaign.deleted": "deleted the campaign {subject}",
    "campaign.contacts_added": "added contacts to the campaign {subject}",
    "enrolment.status_changed": "the place of {subject} in a campaign changed",
    "message.sent": "{subject} was mailed",
    "message.failed": "mail to {subject} failed",
    "message.ambiguous": "nobody knows whether the mail to {subject} arrived",
    "message.settled": "settled what became of the mail to {subject}",
    "message.bounced": "the mail to {subject} bounced",
    "message.opened": "{subject} opened a mail",
    "message.clicked": "{subject} clicked a link",
    "message.replied": "{subject} replied",
    "mailbox.created": "connected the mailbox {subject}",
    "mailbox.updated": "changed the mailbox {subject}",
    "mailbox.paused": "the mailbox {subject} was paused",
    "mailbox.resumed": "resumed the mailbox {subject}",
    "mailbox.deleted": "disconnected the mailbox {subject}",
    "blocklist.added": "blocked {subject}",
    "blocklist.removed": "unblocked {subject}",
    "endpoint.created": "added the webhook {subject}",
    "endpoint.updated": "changed the webhook {subject}",
    "endpoint.disabled": "the webhook {subject} was disabled",
    "endpoint.enabled": "enabled the webhook {subject}",
    "endpoint.secret_rotated": "rotated the secret of the webhook {subject}",
    "endpoint.deleted": "deleted the webhook {subject}",
    "endpoint.tested": "sent a test to the webhook {subject}",
    "endpoint.replayed": "replayed what the webhook {subject} had missed",
    "api_key.created": "created the API key {subject}",
    "api_key.disabled": "disabled the API key {subject}",
    "api_key.enabled": "enabled the API key {subject}",
    "api_key.revoked": "revoked the API key {subject}",
    "user.invited": "invited {subject}",
    "user.activated": "{subject} activated the account",
    "user.updated": "changed the user {subject}",
    "user.disabled": "disabled the user {subject}",
    "user.enabled": "enabled the user {subject}",
    "user.password_reset": "{subject} set a new password",
    "team.created": "created the team {subject}",
    "team.updated": "changed the team {subject}",
    "team.deleted": "deleted the team {subject}",
    "account.created": "the account {subject} was opened",
    "account.updated": "changed the account's settings",
    "account.opened_by_operator": "opened the account {subject} as an operator",
    "account.suspended": "the account {subject} was suspended",
    "account.resumed": "the account {subject} works again",
}
NAMES = frozenset(SENTENCES)


def matches(name: str, patterns: list[str]) -> bool:
    """Whether an endpoint that asked for `patterns` hears `name`; "lead.*" and "*" are patterns."""
    return any(
        pattern in ("*", name) or (pattern.endswith(".*") and name.startswith(pattern[:-1]))
        for pattern in patterns
    )


def unknown(patterns: list[str]) -> list[str]:
    """Patterns that no event can ever match, which are surely typing mistakes."""
    return [pattern for pattern in patterns if not any(matches(name, [pattern]) for name in NAMES)]
