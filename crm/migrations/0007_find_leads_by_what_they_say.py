from django.db import migrations

CHUNK = 1000


def derive_keys(apps, schema_editor):
    """Left to the indexer, which derives keys from the texts of leads before it reads their words."""
    Lead, IndexJob = apps.get_model("crm", "Lead"), apps.get_model("search", "IndexJob")
    accounts = Lead.objects.order_by("account_id").values_list("account_id", flat=True).distinct()
    for account_id in list(accounts):
        last, leads = 0, Lead.objects.filter(account=account_id).order_by("pk")
        while ids := list(leads.filter(pk__gt=last).values_list("pk", flat=True)[:CHUNK]):
            IndexJob.objects.create(account_id=account_id, kind="lead", ids=ids)
            last = ids[-1]


class Migration(migrations.Migration):
    dependencies = [("crm", "0006_inbox"), ("search", "0002_words")]

    operations = [migrations.RunPython(derive_keys, migrations.RunPython.noop, elidable=True)]
