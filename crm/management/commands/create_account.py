"""Opens an account from the command line: for operators, scripts and the demo."""

import json

from django.core.management.base import BaseCommand, CommandError

from crm.opening import Opened, open_account
from pipelime.accounts.models import Account
from pipelime.errors import PipelimeError


class Command(BaseCommand):
    help = "Open an account with its first administrator and an API key, which is shown this once."

    def add_arguments(self, parser):
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--email", required=True, help="The administrator's login.")
        parser.add_argument("--password", required=True, help="At least ten characters.")
        parser.add_argument("--plan", choices=Account.Plan.values, default=Account.Plan.ENTERPRISE.value)
        parser.add_argument("--time-zone", default="UTC", help="Such as Europe/Paris.")
        parser.add_argument("--json", action="store_true", help="One JSON object instead of words.")

    def handle(self, *, name, email, password, plan, time_zone, **options):
        try:
            opened = open_account(name, email=email, password=password, plan=plan, time_zone=time_zone)
        except PipelimeError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(json.dumps(as_json(opened)) if options["json"] else in_words(opened))


def as_json(opened: Opened) -> dict:
    account, user = opened.account, opened.user
    return {
        "account": {"id": account.pk, "slug": account.slug, "name": account.name},
        "user": {"id": user.pk, "email": user.email},
        "api_key": opened.raw_key,
    }


def in_words(opened: Opened) -> str:
    return (
        f"The account {opened.account.name} ({opened.account.slug}) is open.\n"
        f"Log in as {opened.user.email}.\n"
        f"API key, shown this once: {opened.raw_key}"
    )
