"""Fills an empty account with people, leads and campaigns, to look around in."""

from django.core.management.base import BaseCommand, CommandError

from pipelime.accounts.models import Account, User
from pipelime.backoffice.demonstration import fill
from pipelime.errors import PipelimeError
from pipelime.scope import account_scope


class Command(BaseCommand):
    help = "Fill an empty account with contacts, leads and campaigns whose mail stays on this machine."

    def add_arguments(self, parser):
        parser.add_argument(
            "--account", metavar="SLUG", default="demo", help="Its short name; demo by default."
        )

    def handle(self, *, account, **options):
        found = Account.objects.filter(slug=account).first()
        if found is None:
            raise CommandError(
                f"There is no account {account!r}; create_account makes one and tells its short name"
            )
        with account_scope(found):
            by = User.objects.admins().order_by("pk").first()
            if by is None:
                raise CommandError(f"{account} has no active administrator, in whose name the demo is made")
            try:
                fill(found, by=by)
            except PipelimeError as error:
                raise CommandError(str(error)) from None
        self.stdout.write(f"{found.name} has contacts, leads and campaigns now.")
