"""How a mailbox is doing, and what its owner should do next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from outreach import caps
from outreach.incoming.brakes import MOST_BOUNCED, MOST_COMPLAINED, Record, record_of
from outreach.mailbox_settings import today
from outreach.models import CapCounter, EmailAccount, MailFolder, Message

LATE = timedelta(hours=1)  # since the last poll that worked


@dataclass(frozen=True, slots=True)
class Health:
    used: int
    cap: int
    record: Record
    folders: list[MailFolder]
    doubts: int
    waiting: int  # direct mails that wait in a paused mailbox
    steps: list[str]

    @property
    def bounced(self) -> str:
        return share(self.record.bounced, self.record.sent, MOST_BOUNCED)

    @property
    def complained(self) -> str:
        return share(self.record.complained, self.record.sent, MOST_COMPLAINED)


def share(count: int, of: int, most: float) -> str:
    part = f" ({count / of:.1%})" if of else ""
    return f"{count} of the last {of}{part}; it pauses above {most:.1%}"


def health_of(mailbox: EmailAccount) -> Health:
    day = today(mailbox)
    counter = CapCounter.objects.filter(scope=caps.scope_of(mailbox), day=day).first()
    own = Message.objects.filter(mailbox=mailbox)
    folders = list(MailFolder.objects.filter(mailbox=mailbox).order_by("name"))
    doubts = own.filter(state=Message.State.AMBIGUOUS).count()
    waiting = own.direct().filter(state=Message.State.QUEUED).count() if mailbox.paused_at else 0
    return Health(
        used=counter.used if counter else 0,
        cap=caps.cap_on(mailbox, day),
        record=record_of(mailbox, None, None),
        folders=folders,
        doubts=doubts,
        waiting=waiting,
        steps=next_steps(mailbox, folders, doubts, waiting),
    )


def next_steps(mailbox: EmailAccount, folders: list[MailFolder], doubts: int, waiting: int) -> list[str]:
    """One sentence for each thing that only a person can do."""
    steps = []
    if mailbox.paused_at and mailbox.login != EmailAccount.Login.PASSWORD:
        steps.append(f"Connect it again at {mailbox.get_login_display()} if the log-in was refused.")
    if mailbox.paused_at:
        steps.append("Test its servers, then resume it.")
    if waiting:
        steps.append(
            f"{waiting} mails to leads wait in it: resume it, or tell Messages not to send them. "
            "After 7 days they are given up."
        )
    if not mailbox.imap_host:
        steps.append("Give it an IMAP server: without one, replies and bounces are not seen.")
    steps += [f"Its folder {one.name} cannot be read: {one.last_error}" for one in folders if one.last_error]
    if any(one.polled_at and timezone.now() - one.polled_at > LATE for one in folders):
        steps.append("Its mail has not been read for over an hour: ask whether workers run.")
    if doubts:
        steps.append(f"Nobody knows whether {doubts} of its mails arrived: settle them in Messages.")
    return steps
