from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outreach", "0001_initial")]

    operations = [
        migrations.RemoveIndex(model_name="enrolment", name="enrolment_due"),
        migrations.AddIndex(
            model_name="enrolment",
            index=models.Index(
                fields=["campaign", "mailbox", "step_number", "due_at", "id"],
                condition=models.Q(("state", "waiting")),
                name="enrolment_next",
            ),
        ),
    ]
