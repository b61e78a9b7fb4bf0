"""What comes back to the demo's mails, as mail servers and people write it."""

from __future__ import annotations

from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime

from django.utils import timezone

from outreach.models import Message

QUOTED = "\n\nOn {day:%A}, {sender} wrote:\n> {subject}\n"
AWAY = "Thank you for your mail. I am out of the office until {day:%d %B %Y} and will read it then."
REPORT = """\
From: MAILER-DAEMON@mail.limetree.example (Mail Delivery System)
To: {sender}
Subject: Undelivered Mail Returned to Sender
Date: {date}
Message-ID: <bounce-{uid}@mail.limetree.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="cut"

--cut
Content-Type: text/plain; charset=utf-8

Your message could not be delivered: there is nobody of this name here.

--cut
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.limetree.example

Final-Recipient: rfc822; {to}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <{to}>: user unknown

--cut
Content-Type: text/rfc822-headers

Message-ID: {message_id}
To: {to}
Subject: {subject}

--cut--
"""


def answer(message: Message, subject: str, text: str) -> bytes:
    """The original stands below, as it does in most answers."""
    mail = about(message, subject)
    mail.set_content(
        text + QUOTED.format(day=message.sent_at, sender=message.from_address, subject=message.subject)
    )
    return mail.as_bytes(policy=policy.SMTP)


def absence(message: Message, until: datetime) -> bytes:
    mail = about(message, f"Out of office: {message.subject}")
    mail["Auto-Submitted"] = "auto-replied"
    mail.set_content(AWAY.format(day=until))
    return mail.as_bytes(policy=policy.SMTP)


def bounce(message: Message) -> bytes:
    return REPORT.format(
        sender=message.from_address, date=format_datetime(timezone.now()), uid=message.uid,
        to=message.to_address, message_id=message.message_id, subject="your mail",
    ).replace("\n", "\r\n").encode()  # fmt: skip


def about(message: Message, subject: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = f'"{message.to_name}" <{message.to_address}>'
    mail["To"] = message.from_address
    mail["Subject"] = subject
    mail["Date"] = format_datetime(timezone.now())
    mail["Message-ID"] = f"<{message.uid}@answers.example>"
    mail["In-Reply-To"] = mail["References"] = message.message_id
    return mail
