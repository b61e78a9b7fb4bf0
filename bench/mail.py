"""Mail through the ledger against plain Django mail: the same texts and the same server.

Usage: python bench/mail.py [messages] [threads]. Ours plans, claims, writes a personal Liquid text and HTML,
marks as sending, sends, marks as sent and records the event, through 20 mailboxes without caps, in the
threads of one worker, each with one connection at a time. The limit builds an EmailMultiAlternatives and
sends it by smtplib on one connection that it keeps.
"""

from __future__ import annotations

import gc
import multiprocessing
import smtplib
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import workspace

ROUNDS = 3
MAILBOXES = 20
BODY = """Hello {{ first_name }},

I saw that {{ company | default: "your company" }} is growing. Would {{ first_name }} {{ last_name }} have ten
minutes next week? Many teams like yours in {{ location | default: "your region" }} ask us the same question:
how do we keep the overview without renting yet another tool by the seat?

Read more at https://example.com/overview and tell me what you think.

{{ sender.name }}
"""


def sink(pipe) -> None:
    from tests.sinks import SmtpSink

    with SmtpSink(keep=False) as server:
        pipe.send(server.port)
        pipe.recv()
        pipe.send(server.count)


def fill(opened, port: int, count: int):
    from crm.models import Contact
    from outreach.campaigns import create_campaign, start_campaign
    from outreach.enrolling import enrol
    from outreach.mailboxes import create_mailbox
    from outreach.models import Enrolment

    account, user = opened.account, opened.user
    account.postal_address = "1 Bench Street, 12345 Benchville"
    account.save()
    first = Contact.objects.count()
    contacts = people(account, first, count)
    mailboxes = [
        create_mailbox(
            account,
            by=user,
            email=f"sam{first}.{number}@example.com",
            name="Sam Sender",
            smtp={"host": "127.0.0.1", "port": port, "security": "none"},
            daily_limit=100_000,
        )
        for number in range(MAILBOXES)
    ]
    campaign = create_campaign(
        account,
        by=user,
        name="Bench",
        mailboxes=mailboxes,
        steps=[{"subject": "Hello {{ first_name }}", "body": BODY}],
    )
    enrol(campaign, Contact.objects.filter(pk__in=[contact.pk for contact in contacts]), by=user)
    Enrolment.objects.update(due_at=campaign.created_at - timedelta(seconds=5))
    start_campaign(campaign, by=user)


def people(account, first: int, count: int):
    from crm.models import Company, Contact, ContactEmail

    company, _ = Company.objects.get_or_create(account=account, name="Loretta Inc.")
    contacts = Contact.objects.bulk_create(
        Contact(account=account, first_name=f"Grace{n}", last_name="Hopper", company=company, location="Lyon")
        for n in range(first, first + count)
    )
    ContactEmail.objects.bulk_create(
        ContactEmail(account=account, contact=contact, address=f"grace{contact.pk}@example.org",
                     email_key=f"grace{contact.pk}@example.org", is_primary=True)
        for contact in contacts
    )  # fmt: skip
    return contacts


def ours(opened, threads: int) -> float:
    from django.utils import timezone

    from outreach.planning import plan_account

    gc.freeze()  # as a worker does when it is ready
    with ThreadPoolExecutor(threads) as pool:
        begin = time.perf_counter()
        plan_account(opened.account.pk, timezone.now())
        sent = sum(pool.map(lambda _: send_all(), range(threads)))
        return sent / (time.perf_counter() - begin)


def send_all() -> int:
    from django.db import connections
    from django.utils import timezone

    from outreach.claiming import claim_batch
    from outreach.sending import send_batch
    from pipelime.scope import every_account

    sent = 0
    while True:
        with every_account():
            batch = claim_batch(timezone.now() + timedelta(seconds=1))
        if batch is None:
            connections.close_all()
            return sent
        sent += send_batch(batch)


def limit(port: int, count: int) -> float:
    from django.core.mail import EmailMultiAlternatives

    from outreach.bodies import html_from_text

    text = BODY.replace("{{ first_name }}", "Grace").replace("{{ last_name }}", "Hopper")
    markup = html_from_text(text)
    begin = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for n in range(count):
            message = EmailMultiAlternatives(
                f"Hello Grace{n}", text, "Sam Sender <sam@example.com>", [f"grace{n}@example.org"]
            )
            message.attach_alternative(markup, "text/html")
            server.sendmail(
                "sam@example.com", [f"grace{n}@example.org"], message.message().as_bytes(linesep="\r\n")
            )
    return count / (time.perf_counter() - begin)


def main(count: int = 2000, threads: int = 16) -> None:
    opened = workspace.prepare("mail")
    from pipelime.scope import account_scope

    pipe, other = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=sink, args=(other,), daemon=True)
    server.start()
    port = pipe.recv()
    rates, limits = [], []
    with account_scope(opened.account):
        for _ in range(ROUNDS):
            fill(opened, port, count)
            rates.append(ours(opened, threads))
            limits.append(limit(port, count))
    pipe.send("stop")
    assert pipe.recv() == 2 * ROUNDS * count
    server.join(5)
    ratio = statistics.median(rates), statistics.median(limits)
    workspace.report(f"mail, {threads} threads", *ratio, good=0.7, goal=1.5, unit="messages/s")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
