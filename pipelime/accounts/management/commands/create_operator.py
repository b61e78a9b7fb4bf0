"""Makes an operator, who looks after the whole installation, or gives one a new password."""

from django.core.management.base import BaseCommand, CommandError

from pipelime.accounts.operators import make_operator
from pipelime.errors import PipelimeError


class Command(BaseCommand):
    help = "Make an operator: a login without an account that may open any, which its history then shows."

    def add_arguments(self, parser):
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--password", required=True, help="At least ten characters.")

    def handle(self, *, email, password, **options):
        try:
            user = make_operator(email=email, password=password)
        except PipelimeError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{user.email} is an operator: log in at /admin/ and choose an account.")
