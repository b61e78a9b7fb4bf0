"""Where an account's incoming mail goes, as its settings show it."""

from __future__ import annotations

from crm.receiving.addresses import inbound_address, post_url

__all__ = ["inbound_address", "post_url"]
