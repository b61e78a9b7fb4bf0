from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="endpoint",
            name="name",
            field=models.CharField(blank=True, db_default="", default="", max_length=150),
        ),
        migrations.AddField(
            model_name="endpoint",
            name="target_type",
            field=models.CharField(
                choices=[("url", "a URL"), ("email", "a mail address")],
                db_default="url",
                default="url",
                editable=False,
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="endpoint",
            name="email",
            field=models.EmailField(
                blank=True, db_default="", default="", max_length=254, verbose_name="e-mail"
            ),
        ),
        migrations.AddField(
            model_name="endpoint",
            name="on_menu",
            field=models.BooleanField(db_default=False, default=False, verbose_name="in the menu of leads"),
        ),
        migrations.AddField(
            model_name="endpoint",
            name="target_key",
            field=models.CharField(editable=False, max_length=64, null=True),
        ),
        migrations.AlterField(
            model_name="endpoint",
            name="url",
            field=models.CharField(blank=True, max_length=2000, verbose_name="URL"),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="event_name",
            field=models.CharField(max_length=400),
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.UniqueConstraint(
                fields=("account", "target_key"), name="endpoint_target_once"
            ),
        ),
    ]
