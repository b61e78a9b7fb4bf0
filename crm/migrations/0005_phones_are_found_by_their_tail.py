from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('crm', '0004_fill_title_keys_and_meanings'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='activity',
            name='activity_phone',
        ),
        migrations.AddField(
            model_name='activity',
            name='phone_tail',
            field=models.CharField(blank=True, db_default='', editable=False, max_length=7),
        ),
        migrations.AddIndex(
            model_name='activity',
            index=models.Index(fields=['account', 'phone_tail', 'phone_digits'], name='activity_phone_tail'),
        ),
    ]
