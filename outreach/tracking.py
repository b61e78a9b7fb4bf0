"""Links in mails that lead through us, and an image, where a campaign wants to know of clicks and opens."""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import re
from collections.abc import Sequence
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from outreach.bodies import Body, html_from_text, text_from_html
from outreach.models import Message, TrackedLink
from pipelime.errors import NotFound
from pipelime.scope import every_account

SALT = "outreach.tracking"
SIGNATURE_BYTES = 12
LONGEST_URL = 2000
OPEN = 0  # in a token, where a click has its link's number

_HREF = re.compile(r"""(<a\b[^>]*?(?<![\w-])href\s*=\s*)("[^"]*"|'[^']*')""", re.IGNORECASE)
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\<>\"]")


def wrapped(body: Body, message: Message) -> Body:
    """The body with links, and an image, that lead through us. Words, and the text part, stay as they are.

    A message that is not stored yet is only looked at: nobody could find out whose click it was.
    """
    campaign = message.campaign
    if campaign is None or not (campaign.track_opens or campaign.track_clicks) or message.pk is None:
        return body
    text = body.text if body.text is not None else text_from_html(body.html or "")
    markup = body.html if body.html is not None else html_from_text(text)
    if campaign.track_clicks:
        markup = with_links(markup, message)
    if campaign.track_opens:
        markup = with_pixel(markup, f"{settings.PIPELIME_PUBLIC_URL}/o/{token_for(message.uid)}.gif")
    return Body(subject=body.subject, text=text, html=markup)


def with_links(markup: str, message: Message) -> str:
    targets = {target(found[2]) for found in _HREF.finditer(markup)}
    links = links_to([url for url in targets if is_wrappable(url)], message.account_id)

    def through_us(found: re.Match[str]) -> str:
        link = links.get(target(found[2]))
        if link is None:
            return found[0]
        return f'{found[1]}"{settings.PIPELIME_PUBLIC_URL}/c/{token_for(message.uid, link)}"'

    return _HREF.sub(through_us, markup)


def target(quoted: str) -> str:
    return html.unescape(quoted[1:-1]).strip()


def is_wrappable(url: str) -> bool:
    """Addresses of the web, plainly written. Never our own: a way out must not look like a click."""
    if len(url) > LONGEST_URL or _UNSAFE.search(url) or url.startswith(f"{settings.PIPELIME_PUBLIC_URL}/"):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def links_to(urls: Sequence[str], account_id: int) -> dict[str, int]:
    """url -> the number of its row, which is made where there is none."""
    if not urls:
        return {}
    digests = {hashlib.sha256(url.encode()).hexdigest(): url for url in urls}
    rows = TrackedLink.objects.filter(account_id=account_id, digest__in=digests)
    found = {digests[digest]: pk for pk, digest in rows.values_list("pk", "digest")}
    missing = [
        TrackedLink(account_id=account_id, url=url, digest=digest)
        for digest, url in digests.items()
        if url not in found
    ]
    if not missing:
        return found
    TrackedLink.objects.bulk_create(missing, ignore_conflicts=True)  # another worker may write the same words
    return {digests[digest]: pk for pk, digest in rows.all().values_list("pk", "digest")}


def with_pixel(markup: str, url: str) -> str:
    image = f'<img src="{url}" width="1" height="1" alt="" style="border:0">'
    head, closing, tail = markup.rpartition("</body>")
    return f"{head}{image}{closing}{tail}" if closing else markup + image


def token_for(message_uid: UUID, link_id: int = OPEN) -> str:
    """The message, the link and a signature of both: 48 characters that stand for nothing else."""
    said = message_uid.bytes + link_id.to_bytes(8, "big")
    return base64.urlsafe_b64encode(said + signature(said)).decode()


def signature(said: bytes) -> bytes:
    return salted_hmac(SALT, said, algorithm="sha256").digest()[:SIGNATURE_BYTES]


def read(token: str) -> tuple[UUID, int]:
    """Message and link; NotFound for anything that we did not sign."""
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
        uid, link_id = UUID(bytes=raw[:16]), int.from_bytes(raw[16:24], "big")
    except (ValueError, binascii.Error):
        raise NotFound("This address is not complete") from None
    if not constant_time_compare(raw[24:], signature(raw[:24])) or token_for(uid, link_id) != token:
        raise NotFound("This address was not made here")
    return uid, link_id


def message_and_link(token: str) -> tuple[Message, TrackedLink | None]:
    """What a token stands for; of an open there is no link."""
    uid, link_id = read(token)
    with every_account():
        message = Message.objects.filter(uid=uid).only("pk", "account_id").first()
        if message is None:
            raise NotFound("This address is no longer known")
        own = TrackedLink.objects.filter(pk=link_id, account_id=message.account_id)
        link = own.first() if link_id != OPEN else None
    if link_id != OPEN and (link is None or not is_wrappable(link.url)):
        raise NotFound("This address is no longer known")
    return message, link
