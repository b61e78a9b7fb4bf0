from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outreach", "0010_find_last_slots_and_skipped_steps")]

    operations = [
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                fields=["mailbox", "id"],
                condition=models.Q(("state", "ambiguous")),
                name="message_doubtful",
            ),
        ),
    ]
