"""Secrets at rest: bound to their row, readable under every key we still have, invisible elsewhere."""

import base64
import copy
import pickle
from io import StringIO

import pytest
from django.core import serializers
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction
from django.forms import modelform_factory
from django.test.utils import isolate_apps

from outreach.models import EmailAccount
from pipelime.encryption import DecryptionFailed, EncryptedTextField, Sealed, decrypt, encrypt, rotate
from pipelime.ids import uuid7
from pipelime.scope import every_account
from tests.factories import AccountFactory, MailboxFactory

OLD, NEW = b"o" * 32, b"n" * 32
HERE, THERE = "1:webhooks.endpoint:a:secret", "1:webhooks.endpoint:b:secret"
PASSWORD = EmailAccount._meta.get_field("smtp_password")


@pytest.fixture(autouse=True)
def keys(settings):
    settings.PIPELIME_KEYS = {"old": OLD}


def stored(mailbox) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT smtp_password FROM outreach_emailaccount WHERE id = %s", [mailbox.pk])
        return cursor.fetchone()[0]


def store(mailbox, token: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE outreach_emailaccount SET smtp_password = %s WHERE id = %s", [token, mailbox.pk]
        )


@pytest.mark.parametrize("plain", ["s3cret!", "pässwörd 🔑", "line\nline", "v1.old.AAAA", "s" * 100_000])
def test_what_was_encrypted_is_read_again(plain):
    token = encrypt(plain, bound_to=HERE)

    assert token.startswith("v1.old.")
    assert plain not in token
    assert decrypt(token, bound_to=HERE) == plain


def test_the_same_secret_never_looks_the_same():
    assert encrypt("s3cret", bound_to=HERE) != encrypt("s3cret", bound_to=HERE)


def test_blank_stays_blank():
    assert encrypt("", bound_to=HERE) == ""
    assert decrypt("", bound_to=HERE) == ""


def test_a_token_of_another_row_is_not_read():
    token = encrypt("s3cret", bound_to=HERE)

    with pytest.raises(DecryptionFailed, match=r"endpoint:b:secret cannot be read .* belongs to another row"):
        decrypt(token, bound_to=THERE)


def test_every_altered_bit_is_noticed():
    version, key_id, encoded = encrypt("s3cret", bound_to=HERE).split(".")
    sealed = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))

    for bit in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[bit // 8] ^= 1 << bit % 8
        token = f"{version}.{key_id}.{base64.urlsafe_b64encode(altered).decode().rstrip('=')}"
        with pytest.raises(DecryptionFailed, match="cannot be read"):
            decrypt(token, bound_to=HERE)


@pytest.mark.parametrize(
    "token",
    [
        "s3cret",
        "v2.old.AAAA",
        "v1.old.",
        "v1..AAAA",
        "v1.old.A",
        "v1.old.AAAA",
        "v1.old.AA AA",
        "v1.old.AAAA\n",
    ],
)
def test_what_is_no_token_is_not_read(token):
    with pytest.raises(DecryptionFailed, match=HERE):
        decrypt(token, bound_to=HERE)


def test_a_missing_key_is_named(settings):
    token = encrypt("s3cret", bound_to=HERE)
    settings.PIPELIME_KEYS = {"new": NEW, "newer": OLD}

    with pytest.raises(
        DecryptionFailed, match=r"under key 'old', not in PIPELIME_KEYS \(new, newer\): add it back"
    ):
        decrypt(token, bound_to=HERE)


def test_a_key_with_other_bytes_reads_nothing(settings):
    token = encrypt("s3cret", bound_to=HERE)
    settings.PIPELIME_KEYS = {"old": NEW}

    with pytest.raises(DecryptionFailed, match="other bytes than before"):
        decrypt(token, bound_to=HERE)


def test_the_first_key_encrypts_and_all_keys_decrypt(settings):
    old = encrypt("s3cret", bound_to=HERE)
    settings.PIPELIME_KEYS = {"new": NEW, "old": OLD}

    assert encrypt("s3cret", bound_to=HERE).startswith("v1.new.")
    assert decrypt(old, bound_to=HERE) == "s3cret"


@pytest.mark.parametrize("keys", [{}, {"short": b"k" * 16}])
def test_keys_that_cannot_serve_are_a_fault_of_configuration(settings, keys):
    settings.PIPELIME_KEYS = keys

    with pytest.raises(ImproperlyConfigured, match="PIPELIME_KEYS"):
        encrypt("s3cret", bound_to=HERE)


def test_a_column_holds_what_only_its_row_reads(account):
    mailbox = MailboxFactory(account=account, smtp_password="s3cret", imap_password="s3cret")

    bound_to = f"{account.pk}:outreach.emailaccount:{mailbox.uid}:smtp_password"
    assert decrypt(stored(mailbox), bound_to=bound_to) == "s3cret"
    assert EmailAccount.objects.get().smtp_password == "s3cret"
    assert mailbox.smtp_password == "s3cret"


def test_a_token_moved_to_another_row_is_not_read(account):
    mine = MailboxFactory(account=account, smtp_password="s3cret")
    theirs = MailboxFactory(account=account, smtp_password="other")
    store(theirs, stored(mine))

    theirs.refresh_from_db(fields=["name"])
    moved = EmailAccount.objects.get(pk=theirs.pk)

    with pytest.raises(DecryptionFailed):
        _ = moved.smtp_password


def test_a_token_moved_to_another_field_or_account_is_not_read(account):
    mailbox = MailboxFactory(account=account, smtp_password="s3cret")
    read = EmailAccount.objects.get()

    read.imap_password = read.__dict__["smtp_password"]
    with pytest.raises(DecryptionFailed):
        _ = read.imap_password

    read.account_id = mailbox.account_id + 1
    with pytest.raises(DecryptionFailed):
        _ = read.smtp_password


def test_a_blank_password_is_stored_blank(account):
    mailbox = MailboxFactory(account=account, smtp_password="")

    assert stored(mailbox) == ""
    assert EmailAccount.objects.get().smtp_password == ""


def test_an_untouched_secret_is_not_encrypted_anew(account):
    mailbox = MailboxFactory(account=account, smtp_password="s3cret")
    before = stored(mailbox)

    read = EmailAccount.objects.get()
    assert read.smtp_password == "s3cret"
    read.save()

    assert stored(mailbox) == before


def test_a_new_secret_replaces_the_old(account):
    MailboxFactory(account=account, smtp_password="s3cret")
    mailbox = EmailAccount.objects.get()

    mailbox.smtp_password = "newer"
    mailbox.save(update_fields=["smtp_password"])

    assert mailbox.smtp_password == "newer"
    assert EmailAccount.objects.get().smtp_password == "newer"
    assert "newer" not in stored(mailbox)


def test_a_deferred_secret_is_read_when_asked_for(account):
    MailboxFactory(account=account, smtp_password="s3cret")

    assert EmailAccount.objects.defer("smtp_password").get().smtp_password == "s3cret"
    assert EmailAccount.objects.only("smtp_password").get().smtp_password == "s3cret"


def test_a_refreshed_secret_is_the_stored_one(account):
    mailbox = MailboxFactory(account=account, smtp_password="s3cret")
    mailbox.smtp_password = "never saved"

    mailbox.refresh_from_db()

    assert mailbox.smtp_password == "s3cret"


def test_rows_created_in_bulk_are_encrypted(account):
    mailboxes = [MailboxFactory.build(account=account, smtp_password=f"s3cret {n}") for n in range(3)]

    EmailAccount.objects.bulk_create(mailboxes)

    assert [m.smtp_password for m in EmailAccount.objects.order_by("pk")] == [
        "s3cret 0",
        "s3cret 1",
        "s3cret 2",
    ]
    assert all(stored(mailbox).startswith("v1.old.") for mailbox in EmailAccount.objects.all())


def test_plain_text_never_reaches_a_query(account):
    mailbox = MailboxFactory(account=account, smtp_password="s3cret")
    before = stored(mailbox)

    with (
        pytest.raises(TypeError, match=r"EmailAccount\.smtp_password is encrypted for one row"),
        transaction.atomic(),
    ):
        EmailAccount.objects.update(smtp_password="plain")
    with pytest.raises(TypeError, match="encrypted for one row"), transaction.atomic():
        EmailAccount.objects.bulk_update([mailbox], ["smtp_password"])
    with pytest.raises(TypeError, match="encrypted for one row"):
        EmailAccount.objects.filter(smtp_password="s3cret").count()
    with pytest.raises(FieldError):
        EmailAccount.objects.filter(smtp_password__startswith="s").count()

    assert stored(mailbox) == before


def test_rows_without_a_secret_can_be_found(account):
    blank = MailboxFactory(account=account, smtp_password="")
    MailboxFactory(account=account, smtp_password="s3cret")

    assert EmailAccount.objects.filter(smtp_password="").get() == blank
    assert EmailAccount.objects.exclude(smtp_password="").count() == 1


def test_nothing_that_prints_a_row_shows_its_secret(account):
    MailboxFactory(account=account, smtp_password="s3cret")
    mailbox = EmailAccount.objects.get()
    assert mailbox.smtp_password == "s3cret"

    shown = [repr(mailbox), str(mailbox.__dict__), str(list(EmailAccount.objects.values()))]

    assert "s3cret" not in "".join(shown)
    assert "<encrypted>" in shown[1]
    assert f"{EmailAccount.objects.values_list('smtp_password', flat=True)[0]}" == "<encrypted>"
    assert b"s3cret" not in pickle.dumps(mailbox)


def test_a_saved_row_keeps_no_plain_text(account):
    mailbox = MailboxFactory(account=account, smtp_password="s3cret")

    assert isinstance(mailbox.__dict__["smtp_password"], Sealed)
    assert "s3cret" not in str(mailbox.__dict__)


def test_a_dump_is_refused(account):
    MailboxFactory(account=account, smtp_password="s3cret")

    with pytest.raises(TypeError, match="cannot be dumped"):
        serializers.serialize("json", EmailAccount.objects.all())


def test_a_copied_row_cannot_carry_the_secret_of_the_original(account):
    MailboxFactory(account=account, smtp_password="s3cret")
    duplicate = copy.copy(EmailAccount.objects.get())
    duplicate.pk, duplicate.uid, duplicate._state.adding = None, uuid7(), True

    with pytest.raises(DecryptionFailed), transaction.atomic():
        duplicate.save()

    assert EmailAccount.objects.count() == 1


def test_a_form_shows_no_secret_and_a_blank_keeps_it(account):
    MailboxFactory(account=account, smtp_password="s3cret")
    mailbox = EmailAccount.objects.get()
    form_class = modelform_factory(EmailAccount, fields=["smtp_password"])

    page = form_class(instance=mailbox).as_p()
    form_class({"smtp_password": ""}, instance=mailbox).save()
    kept = EmailAccount.objects.get().smtp_password
    form_class({"smtp_password": " newer "}, instance=mailbox).save()

    assert 'type="password"' in page
    assert "s3cret" not in page
    assert kept == "s3cret"
    assert EmailAccount.objects.get().smtp_password == " newer "


@isolate_apps("outreach")
def test_a_model_without_an_owner_cannot_have_encrypted_fields():
    class Ownerless(models.Model):
        secret = EncryptedTextField()

        class Meta:
            app_label = "outreach"

    [error] = Ownerless.check()

    assert (
        error.msg == "Encryption binds to the row by account and uid: Ownerless has no field named 'account'"
    )


def test_rotation_encrypts_every_row_under_the_current_key(account, settings):
    mailboxes = [MailboxFactory(account=account, smtp_password=f"s3cret {n}") for n in range(5)]
    blank = MailboxFactory(account=account, smtp_password="")
    settings.PIPELIME_KEYS = {"new": NEW, "old": OLD}

    batches = list(rotate(PASSWORD, batch=2))

    assert [(batch.rows, batch.failures) for batch in batches] == [(2, []), (2, []), (1, [])]
    settings.PIPELIME_KEYS = {"new": NEW}
    read = EmailAccount.objects.exclude(pk=blank.pk).order_by("pk")
    assert [mailbox.smtp_password for mailbox in read] == [f"s3cret {n}" for n in range(5)]
    assert all(stored(mailbox).startswith("v1.new.") for mailbox in mailboxes)
    assert stored(blank) == ""


def test_rotation_leaves_rows_under_the_current_key_alone(account):
    mailbox = MailboxFactory(account=account, smtp_password="s3cret")
    before = stored(mailbox)

    assert [batch.rows for batch in rotate(PASSWORD)] == [0]
    assert stored(mailbox) == before


def test_rotation_asks_the_database_a_few_questions_a_batch(account, settings, django_assert_num_queries):
    MailboxFactory.create_batch(3, account=account, smtp_password="s3cret")
    settings.PIPELIME_KEYS = {"new": NEW, "old": OLD}

    # Two reads (the last finds nothing), a savepoint and its release, one update a row.
    with django_assert_num_queries(2 + 2 + 3):
        list(rotate(PASSWORD))


def test_rotation_does_not_undo_a_secret_written_meanwhile(account, settings, monkeypatch):
    mailbox = MailboxFactory(account=account, smtp_password="s3cret")
    settings.PIPELIME_KEYS = {"new": NEW, "old": OLD}
    opening = EncryptedTextField.open

    def open_while_another_writes(field, row, sealed):
        plain = opening(field, row, sealed)
        if field is PASSWORD:
            store(mailbox, encrypt("newer", bound_to=field.bound_to(row)))
        return plain

    monkeypatch.setattr(EncryptedTextField, "open", open_while_another_writes)
    batches = list(rotate(PASSWORD))
    monkeypatch.undo()

    settings.PIPELIME_KEYS = {"new": NEW, "old": OLD}
    assert [batch.rows for batch in batches] == [0]
    assert EmailAccount.objects.get().smtp_password == "newer"


def test_the_command_rotates_all_accounts_and_every_encrypted_field(db, settings):
    for _ in range(2):
        MailboxFactory(account=AccountFactory(), smtp_password="s3cret", imap_password="other")
    settings.PIPELIME_KEYS = {"new": NEW, "old": OLD}
    printed = StringIO()

    call_command("rotate_keys", stdout=printed)

    lines = printed.getvalue().splitlines()
    assert "outreach.EmailAccount.smtp_password: 2 rows encrypted anew" in lines
    assert "outreach.EmailAccount.imap_password: 2 rows encrypted anew" in lines
    assert lines[-1] == "Everything is encrypted under key 'new'"
    settings.PIPELIME_KEYS = {"new": NEW}
    with every_account():
        read = [(mailbox.smtp_password, mailbox.imap_password) for mailbox in EmailAccount.objects.all()]
    assert read == [("s3cret", "other")] * 2


def test_the_command_goes_on_past_an_unreadable_row_and_then_fails(account, settings):
    broken, sound = MailboxFactory.create_batch(2, account=account, smtp_password="s3cret")
    store(broken, stored(sound))
    settings.PIPELIME_KEYS = {"new": NEW, "old": OLD}
    complaints = StringIO()

    with pytest.raises(CommandError, match="1 secrets could not be read: keep the old keys"):
        call_command("rotate_keys", stdout=StringIO(), stderr=complaints)

    assert str(broken.uid) in complaints.getvalue()
    assert stored(broken).startswith("v1.old.")
    assert stored(sound).startswith("v1.new.")
