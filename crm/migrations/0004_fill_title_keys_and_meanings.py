from django.db import migrations

MEANINGS = {
    "lead": {
        "Firstname": "first_name", "Lastname": "last_name", "Full name": "full_name", "Email": "email",
        "Phone": "phone", "Mobile": "mobile", "Address": "address", "Web": "web", "Job": "job",
    },
    "company": {"Address": "address"},
}  # fmt: skip
CHUNK = 1000


def fill_title_keys(apps, schema_editor):
    Lead = apps.get_model("crm", "Lead")
    last = 0
    while leads := list(Lead.objects.filter(pk__gt=last).only("pk", "title").order_by("pk")[:CHUNK]):
        for lead in leads:
            lead.title_key = " ".join(lead.title.split()).casefold()[:250]
        Lead.objects.bulk_update(leads, ["title_key"])
        last = leads[-1].pk


def fill_meanings(apps, schema_editor):
    """The fields that every account began with; people's own ones stay what they say they are."""
    Field = apps.get_model("crm", "Field")
    for kind, meanings in MEANINGS.items():
        for name, meaning in meanings.items():
            Field.objects.filter(kind=kind, name=name, meaning="").update(meaning=meaning)


class Migration(migrations.Migration):
    dependencies = [("crm", "0003_prospecting_attachments_and_follow_ups")]

    operations = [
        migrations.RunPython(fill_title_keys, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(fill_meanings, migrations.RunPython.noop, elidable=True),
    ]
