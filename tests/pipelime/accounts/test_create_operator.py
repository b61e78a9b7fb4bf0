import pytest
from django.core.management import CommandError, call_command

from pipelime.accounts.backends import EmailBackend
from pipelime.accounts.models import User
from pipelime.scope import every_account

PASSWORD = "correct horse battery"


def login(email: str, password: str) -> User | None:
    return EmailBackend().authenticate(None, username=email, password=password)


@pytest.mark.django_db
def test_an_operator_logs_in_without_an_account(capsys):
    call_command("create_operator", "Root@Example.com", "--password", PASSWORD)

    user = login("root@example.com", PASSWORD)
    assert (user.account_id, user.is_superuser) == (None, True)
    assert "root@example.com is an operator" in capsys.readouterr().out


@pytest.mark.django_db
def test_asked_again_it_sets_a_new_password():
    call_command("create_operator", "root@example.com", "--password", PASSWORD)

    call_command("create_operator", "root@example.com", "--password", "another horse battery")

    assert login("root@example.com", PASSWORD) is None
    assert login("root@example.com", "another horse battery") is not None


def test_somebody_who_works_in_an_account_is_refused(user):
    with pytest.raises(CommandError, match="works in an account"):
        call_command("create_operator", user.email, "--password", PASSWORD)

    with every_account():
        assert not User.objects.filter(is_superuser=True).exists()


@pytest.mark.django_db
def test_a_weak_password_is_refused():
    with pytest.raises(CommandError, match="too short"):
        call_command("create_operator", "root@example.com", "--password", "short")
