"""Mail that becomes leads: taken in at three doors, kept as it came, worked through by a worker."""

from crm.receiving.addresses import inbound_address, post_url, renew_address

__all__ = ["inbound_address", "post_url", "renew_address"]
