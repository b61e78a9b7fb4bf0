import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

UNINDEXED = {
    "db_index": False,
    "null": True,
    "on_delete": django.db.models.deletion.SET_NULL,
    "related_name": "+",
}


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("crm", "0004_fill_title_keys_and_meanings"),
        ("outreach", "0005_fill_owners_of_mailboxes"),
    ]

    operations = [
        migrations.AddField("message", "lead", models.ForeignKey(to="crm.lead", **UNINDEXED)),
        migrations.AddField("message", "frozen", models.JSONField(editable=False, null=True)),
        migrations.AddField(
            "message",
            "template_name",
            models.CharField(blank=True, db_default="", default="", max_length=250),
        ),
        migrations.AddField(
            "message",
            "created_by",
            models.ForeignKey(editable=False, to=settings.AUTH_USER_MODEL, **UNINDEXED),
        ),
        migrations.AddIndex(
            "message",
            models.Index(
                fields=["account", "state", "id"], condition=Q(frozen__isnull=False), name="message_direct"
            ),
        ),
        migrations.AddIndex(
            "message",
            models.Index(fields=["lead", "id"], condition=Q(lead__isnull=False), name="message_lead"),
        ),
    ]
