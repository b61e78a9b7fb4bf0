"""What a provider tells us by calling an address of ours: answers, new connections, words sent elsewhere."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac

from outreach import conversations, settling
from outreach.incoming import effects
from outreach.linkedin.port import News, Person, Related, Said
from outreach.linkedin.providers import provider_of
from outreach.linkedin.sending import outside
from outreach.linkedin.tasks import connected
from outreach.models import Conversation, Enrolment, Incoming, LinkedInAccount, Message
from pipelime import locks
from pipelime.errors import NotFound
from pipelime.scope import account_scope, every_account

SALT = "outreach.linkedin.hooks"
SIGNATURE_BYTES = 16
State = Message.State


def hook_url(account: LinkedInAccount) -> str:
    """Whoever knows it may say that somebody has answered; a new hook key ends it."""
    return f"{settings.PIPELIME_URL}/inbound/linkedin/{token_of(account)}"


def token_of(account: LinkedInAccount) -> str:
    raw = account.uid.bytes + signature(account)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signature(account: LinkedInAccount) -> bytes:
    key = account.hook_key
    return salted_hmac(SALT, account.uid.hex, secret=key, algorithm="sha256").digest()[:SIGNATURE_BYTES]


def account_at(token: str) -> LinkedInAccount:
    """The connected account whose address this is; NotFound for anything that we did not sign."""
    try:
        uid = UUID(bytes=base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[:16])
    except (ValueError, binascii.Error):
        uid = UUID(int=0)
    with every_account():
        rows = LinkedInAccount.objects.alive().select_related("account").exclude(provider="")
        account = rows.filter(uid=uid, account__suspended_at=None).first()
    if account is None or not account.hook_key or not constant_time_compare(token_of(account), token):
        raise NotFound("There is no such address")
    return account


def hear(account: LinkedInAccount, payload: Mapping[str, Any]) -> bool:
    """Take in one call. Says whether it changed anything: calls repeat, and most concern nobody here."""
    with account_scope(account.account_id):
        news = provider_of(account).news(account, payload)
        return news is not None and take(account, news)


@transaction.atomic
def take(account: LinkedInAccount, news: News) -> bool:
    locks.hold("linkedin_hook", account.pk)  # of two calls with the same news, the second looks again
    match news:
        case Related():
            return take_relation(account, news)
        case Said(is_ours=True):
            return note_own(account, news)
        case Said():
            return take_answer(account, news)


def take_relation(account: LinkedInAccount, news: Related) -> bool:
    """Whoever accepts an invitation has had it, which settles any doubt about that."""
    places = list(places_of(account, news.person).filter(connected_at=None))
    invitations = Message.objects.filter(
        enrolment__in=places, channel=Message.Channel.LINKEDIN_INVITATION, state=State.AMBIGUOUS
    )
    for invitation in list(invitations):
        settling.settle_by_evidence(invitation, evidence="the invitation was accepted")
    told = [connected(place, news.at, by=None) for place in places]
    return any(told)


def places_of(account: LinkedInAccount, person: Person) -> QuerySet[Enrolment]:
    """Where this person is, or was, written to from this account; the latest first."""
    who = Q(pk__in=[])
    if person.profile_url:
        who |= Q(contact__linkedin_url=person.profile_url)
    if person.person_id:  # an invitation keeps whom it went to, by the provider's own id
        invited = Message.objects.filter(
            linkedin_account=account,
            channel=Message.Channel.LINKEDIN_INVITATION,
            provider_id=person.person_id,
        )
        who |= Q(pk__in=invited.values("enrolment"))
    rows = Enrolment.objects.filter(who, linkedin_account=account, contact__deleted_at=None)
    return rows.select_related("contact", "campaign").order_by("-pk")


def talk_of(account: LinkedInAccount, said: Said) -> Conversation | None:
    talks = Conversation.objects.filter(linkedin_account=account).select_related("contact")
    by_chat = talks.filter(provider_id=said.chat_id).first()
    if by_chat is None and said.person.profile_url:
        return talks.filter(counterpart=said.person.profile_url).first()
    return by_chat


def take_answer(account: LinkedInAccount, said: Said) -> bool:
    """Kept if it is from somebody whom we write to: the account holds private messages, too."""
    digest = hashlib.sha256(f"{account.provider}:{said.id}".encode()).hexdigest()
    if Incoming.objects.filter(linkedin_account=account, digest=digest).exists():
        return False
    talk = talk_of(account, said)
    place = place_in(account, talk, said)
    if talk is None and place is None:
        return False
    contact = place.contact if place else talk.contact if talk else None
    profile = talk.counterpart if talk else contact.linkedin_url if contact else said.person.profile_url
    incoming = Incoming.objects.create(
        account_id=account.account_id,
        kind=Incoming.Kind.REPLY,
        linkedin_account=account,
        message=last_said(account, place, talk),
        enrolment=place,
        contact=contact,
        from_address=profile,
        from_name=said.person.name,
        text=said.text,
        whole_text=said.text,
        external_id=said.id[:998],
        digest=digest,
        at=said.at,
    )
    effects.take(incoming)
    keep_chat(incoming, said.chat_id)
    return True


def place_in(account: LinkedInAccount, talk: Conversation | None, said: Said) -> Enrolment | None:
    found = places_of(account, said.person).first()
    if found is None and talk is not None and talk.contact is not None:
        own = Enrolment.objects.filter(linkedin_account=account, contact=talk.contact)
        found = own.select_related("contact", "campaign").order_by("-pk").first()
    return found


def last_said(account: LinkedInAccount, place: Enrolment | None, talk: Conversation | None) -> Message | None:
    """What it answers, as far as one can tell: the last that surely went this way."""
    ours = Message.objects.filter(linkedin_account=account, state=State.SENT)
    return ours.filter(Q(enrolment=place) if place else Q(conversation=talk)).order_by("-pk").first()


def keep_chat(incoming: Incoming, chat_id: str) -> None:
    """The next words go on in the same chat, and the next answer is known by it."""
    incoming.refresh_from_db(fields=["conversation"])
    rows = Conversation.objects.filter(pk=incoming.conversation_id, provider_id="")
    rows.update(provider_id=chat_id[:250])


def note_own(account: LinkedInAccount, said: Said) -> bool:
    """Words of the account's owner: ours coming back as evidence, or written elsewhere and kept here."""
    ours = Message.objects.filter(linkedin_account=account)
    if ours.filter(provider_id=said.id).exists():
        return False
    for message in ours.filter(state__in=(State.SENDING, State.AMBIGUOUS)).order_by("pk"):
        if same_words(message.text, said.text) and is_to(message, said):
            return arrived(message, said)
    talk = talk_of(account, said)
    if talk is None:
        return False
    keep_own(account, talk, said)
    return True


def is_to(message: Message, said: Said) -> bool:
    """Until a message is named by the provider, its id there says whom, or which chat, it went to."""
    return message.provider_id in (said.person.person_id, said.chat_id) or (
        message.profile_url == said.person.profile_url
    )


def arrived(message: Message, said: Said) -> bool:
    """One that is being sent has a worker of its own, who will hear of it."""
    if message.state != State.AMBIGUOUS:
        return False
    evidence = "the provider showed it among the messages that were sent"
    if not settling.settle_by_evidence(message, evidence=evidence):
        return False
    Message.objects.filter(pk=message.pk).update(provider_id=said.id[:250])
    return True


def same_words(one: str, other: str) -> bool:
    return bool(one.strip()) and one.split() == other.split()


def keep_own(account: LinkedInAccount, talk: Conversation, said: Said) -> None:
    message = outside(
        account, profile=talk.counterpart, text=said.text, contact=talk.contact, conversation=talk
    )
    message.state, message.provider_id = State.SENT, said.id[:250]
    message.sent_at = message.due_at = message.slot_at = said.at
    message.save()
    conversations.note_sent(message)
