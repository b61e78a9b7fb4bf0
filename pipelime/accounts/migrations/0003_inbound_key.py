from django.db import migrations, models

import pipelime.accounts.models


def give_keys(apps, schema_editor):
    Account = apps.get_model("accounts", "Account")
    for account in Account.objects.filter(inbound_key=None).only("pk").iterator():
        key = pipelime.accounts.models.new_inbound_key()
        Account.objects.filter(pk=account.pk).update(inbound_key=key)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_session_epoch")]

    operations = [
        migrations.AddField(
            model_name="account",
            name="inbound_key",
            field=models.CharField(max_length=32, null=True, editable=False),
        ),
        migrations.RunPython(give_keys, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            model_name="account",
            name="inbound_key",
            field=models.CharField(
                default=pipelime.accounts.models.new_inbound_key, editable=False, max_length=32, unique=True
            ),
        ),
    ]
