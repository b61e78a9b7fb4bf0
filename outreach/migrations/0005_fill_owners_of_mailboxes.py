from django.conf import settings
from django.db import migrations


def fill(apps, schema_editor):
    """Whoever logs in with a mailbox's address owns it; the others are owned by nobody until somebody says."""
    EmailAccount, User = apps.get_model("outreach", "EmailAccount"), apps.get_model("accounts", "User")
    people = dict(User.objects.filter(account__isnull=False).values_list("email", "pk"))
    accounts = dict(User.objects.values_list("pk", "account_id"))
    for pk, account_id, email in list(EmailAccount.objects.values_list("pk", "account_id", "email")):
        owner_id = people.get(email.casefold())
        if owner_id and accounts[owner_id] == account_id:
            EmailAccount.objects.filter(pk=pk).update(owner_id=owner_id)


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("outreach", "0004_mailboxes_have_owners"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
