import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("outreach", "0003_email_templates"),
    ]

    operations = [
        migrations.AddField(
            model_name="emailaccount",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                help_text="Mail from templates to this person's leads goes out from here.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
