"""Campaigns: who is mailed what, when and from which mailbox. Stands on the CRM."""
