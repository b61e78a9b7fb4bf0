from django.db import migrations


def stamp_by_default(apps, schema_editor):
    """PostgreSQL stamps each event with its transaction, which Python cannot know before it writes."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "ALTER TABLE events_event ALTER COLUMN transaction SET DEFAULT pg_current_xact_id()::text::bigint"
        )


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]

    operations = [migrations.RunPython(stamp_by_default, migrations.RunPython.noop)]
