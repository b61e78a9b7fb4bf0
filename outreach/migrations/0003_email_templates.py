import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import pipelime.ids

OWN = {"blank": True, "null": True, "on_delete": django.db.models.deletion.SET_NULL, "related_name": "+"}


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("outreach", "0002_find_who_is_next"),
    ]

    operations = [
        migrations.CreateModel(
            name="EmailTemplate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uid", models.UUIDField(default=pipelime.ids.uuid7, editable=False, unique=True)),
                ("name", models.CharField(max_length=250)),
                ("subject", models.CharField(max_length=998)),
                (
                    "body",
                    models.TextField(
                        help_text="Text, or HTML if it begins with a tag; values as {{ first_name }}."
                    ),
                ),
                ("is_shared", models.BooleanField(default=True, verbose_name="everybody may use it")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "account",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                ("created_by", models.ForeignKey(editable=False, to=settings.AUTH_USER_MODEL, **OWN)),
                (
                    "users",
                    models.ManyToManyField(
                        blank=True,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="who else may use it",
                    ),
                ),
            ],
            options={"verbose_name": "e-mail template", "ordering": ["name", "id"]},
        ),
        migrations.AddIndex(
            model_name="emailtemplate",
            index=models.Index(fields=["account", "name", "id"], name="email_template_name"),
        ),
    ]
