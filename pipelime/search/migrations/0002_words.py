from django.db import migrations


def create_words(apps, schema_editor):
    """The index itself: a generated tsvector on PostgreSQL, an FTS5 table on SQLite."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "ALTER TABLE search_document ADD COLUMN words tsvector "
            # The text is a list of words already; PostgreSQL's own parser would cut addresses and paths anew.
            "GENERATED ALWAYS AS (array_to_tsvector(string_to_array(text, ' '))) STORED"
        )
        schema_editor.execute("CREATE INDEX search_document_words ON search_document USING gin (words)")
    else:
        schema_editor.execute(
            "CREATE VIRTUAL TABLE search_words USING fts5"
            "(text, tokenize = \"unicode61 remove_diacritics 0 tokenchars '@.+-_'\", prefix = '2 3')"
        )


def drop_words(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE search_document DROP COLUMN words")
    else:
        schema_editor.execute("DROP TABLE search_words")


class Migration(migrations.Migration):
    dependencies = [("search", "0001_initial")]

    operations = [migrations.RunPython(create_words, drop_words)]
