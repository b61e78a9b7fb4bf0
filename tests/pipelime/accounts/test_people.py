"""The people of an account: invitations, links, passwords, and the last administrator."""

import re
from datetime import timedelta
from functools import partial

import pytest
import time_machine
from django.contrib.auth import authenticate, get_user
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from pipelime.accounts import links
from pipelime.accounts.keys import find_token, issue_token
from pipelime.accounts.models import Notice, User
from pipelime.accounts.people import (
    activate,
    activation_link,
    disable_user,
    enable_user,
    invite_user,
    request_password_reset,
    reset_password,
    send_activation,
    update_user,
)
from pipelime.errors import Conflict, Invalid
from pipelime.events.models import Event
from pipelime.scope import account_scope
from tests.factories import AccountFactory, UserFactory
from tests.threads import all_at_once

PASSWORD = "correct horse battery"
LINK = re.compile(r"http://127\.0\.0\.1:\d+/(activate|reset)/([0-9a-f-]{36})/(\S+)")


def link_in(notice: Notice) -> tuple[str, str, str]:
    """What the link is for, whose it is, and its token."""
    found = LINK.search(notice.text)
    assert found, notice.text
    return found.groups()


def names_of_events(user):
    return list(Event.objects.about(user).order_by("pk").values_list("name", flat=True))


def test_an_invitation_is_mailed_with_a_link(account, user):
    invited = invite_user(
        account, email=" Grace@Example.com", by=user, first_name="Grace", job_title="Admiral"
    )

    notice = Notice.objects.get()
    assert (invited.email, invited.first_name, invited.job_title) == ("grace@example.com", "Grace", "Admiral")
    assert (notice.to, notice.subject) == ("grace@example.com", f"Your invitation to {account.name}")
    assert link_in(notice)[:2] == ("activate", str(invited.uid))
    assert names_of_events(invited) == ["user.invited"]


def test_an_invitation_without_mail_still_has_a_link(account, user):
    invited = invite_user(account, email="grace@example.com", by=user, send_mail=False)

    assert not Notice.objects.exists()
    assert LINK.fullmatch(activation_link(invited))


def test_the_link_sets_a_password_once(account, user):
    invited = invite_user(account, email="grace@example.com", by=user)
    _, uid, token = link_in(Notice.objects.get())

    activate(uid, token, PASSWORD)

    assert authenticate(email="grace@example.com", password=PASSWORD) == invited
    invited.refresh_from_db()
    assert invited.activated_at is not None
    assert names_of_events(invited) == ["user.invited", "user.activated"]
    with pytest.raises(Invalid, match="ask for a new one"):
        activate(uid, token, "another long password")


def test_a_weak_password_leaves_the_link_as_it_was(account, user):
    invite_user(account, email="grace@example.com", by=user)
    _, uid, token = link_in(Notice.objects.get())

    with pytest.raises(Invalid, match="too short") as refusal:
        activate(uid, token, "short")

    assert list(refusal.value.fields) == ["password"]
    assert activate(uid, token, PASSWORD).has_usable_password()


def test_a_link_ends_after_three_days(account, user):
    invited = invite_user(account, email="grace@example.com", by=user)
    _, uid, token = link_in(Notice.objects.get())

    later = timezone.now() + timedelta(days=3, minutes=1)
    with time_machine.travel(later, tick=False), pytest.raises(Invalid, match="expired"):
        activate(uid, token, PASSWORD)

    invited.refresh_from_db()
    assert invited.activated_at is None


@pytest.mark.parametrize("uid", ["nobody", "00000000-0000-7000-8000-000000000000"])
def test_a_link_of_nobody_says_the_same(account, uid):
    with pytest.raises(Invalid, match="used, has expired or is incomplete"):
        activate(uid, "token", PASSWORD)


def test_one_kind_of_link_is_no_other(account, user):
    with pytest.raises(Invalid, match="ask for a new one"):
        reset_password(user.uid, links.ACTIVATION.make_token(user), PASSWORD)


def test_an_address_of_the_same_account_is_a_conflict_that_names_the_user(account, user):
    with pytest.raises(Conflict, match="cannot be used") as conflict:
        invite_user(account, email=user.email.upper(), by=user)

    assert conflict.value.existing == str(user.uid)


def test_the_address_of_a_disabled_user_says_what_can_be_done(account, user, seller):
    disable_user(seller, by=user)

    with pytest.raises(Conflict, match=f"it belongs to {seller.name}, who is disabled and can be enabled"):
        invite_user(account, email=seller.email, by=user)


def test_who_is_disabled_is_not_invited_again(account, user):
    invited = invite_user(account, email="grace@example.com", by=user, send_mail=False)
    disable_user(invited, by=user)

    with pytest.raises(Invalid, match="is disabled; enable this user before inviting again"):
        send_activation(invited, by=user)

    assert not Notice.objects.exists()


def test_an_address_of_another_account_tells_nothing_more(account, user, stranger):
    with pytest.raises(Conflict, match="cannot be used") as conflict:
        invite_user(account, email=stranger.email, by=user)

    assert conflict.value.existing is None
    assert User.objects.count() == 1
    assert not Notice.objects.exists()


@pytest.mark.parametrize(
    ("facts", "field"),
    [({"email": "nobody"}, "email"), ({"time_zone": "Mars"}, "time_zone"), ({"age": 3}, "age")],
)
def test_a_wrong_value_invites_nobody(account, user, facts, field):
    with pytest.raises(Invalid) as refusal:
        invite_user(account, by=user, **{"email": "grace@example.com", **facts})

    assert list(refusal.value.fields) == [field]
    assert User.objects.count() == 1


def test_a_user_changes_and_history_says_what(account, user, seller):
    update_user(seller, by=user, last_name="Hopper", is_admin=True)
    update_user(seller, by=user, last_name="Hopper")

    event = Event.objects.about(seller).get()
    assert event.data["changes"]["is_admin"] == [False, True]
    assert event.data["changes"]["last_name"][1] == "Hopper"


def test_the_last_administrator_stays_one(account, user, seller):
    with pytest.raises(Invalid, match="last active administrator") as refusal:
        update_user(user, by=user, is_admin=False)
    with pytest.raises(Conflict, match="last active administrator"):
        disable_user(user, by=user)

    assert refusal.value.field == "is_admin"
    user.refresh_from_db()
    assert (user.is_admin, user.is_active) == (True, True)


def test_a_disabled_administrator_does_not_count(account, user):
    other = UserFactory(account=account, is_admin=True)
    disable_user(other, by=user)

    with pytest.raises(Conflict):
        disable_user(user, by=user)


def test_disabling_ends_sessions_links_and_devices_for_good(account, user, seller):
    browser = Client()
    browser.force_login(seller)
    request = HttpRequest()
    request.session = browser.session
    assert get_user(request) == seller
    _, raw = issue_token(seller)
    token = links.RESET.make_token(seller)

    disable_user(seller, by=user)
    enable_user(seller, by=user)

    assert find_token(raw) is None
    assert not links.RESET.check_token(seller, token)
    assert links.RESET.check_token(seller, links.RESET.make_token(seller))
    assert not get_user(request).is_authenticated
    assert names_of_events(seller) == ["user.disabled", "user.enabled"]


def test_disabling_twice_says_so_once(account, user, seller):
    disable_user(seller, by=user)
    disable_user(seller, by=user)

    assert names_of_events(seller) == ["user.disabled"]


def test_a_forgotten_password_is_reset_by_mail(account, user):
    user.activated_at = timezone.now()
    user.save()
    _, raw = issue_token(user)

    request_password_reset(user.email.upper())
    purpose, uid, token = link_in(Notice.objects.get())
    reset_password(uid, token, PASSWORD)

    assert purpose == "reset"
    assert authenticate(email=user.email, password=PASSWORD) == user
    assert find_token(raw) is None
    with pytest.raises(Invalid):
        reset_password(uid, token, "another long password")


def test_whoever_was_never_activated_is_invited_again(account, user):
    invite_user(account, email="grace@example.com", by=user, send_mail=False)

    request_password_reset("grace@example.com")

    assert link_in(Notice.objects.get())[0] == "activate"


def test_nobody_is_mailed_for_an_unknown_or_disabled_address(account, user, seller):
    disable_user(seller, by=user)

    request_password_reset(seller.email)
    request_password_reset("nobody@example.com")
    request_password_reset("")

    assert not Notice.objects.exists()


def test_a_second_request_within_two_minutes_mails_nothing(account, user):
    request_password_reset(user.email)
    request_password_reset(user.email)

    assert Notice.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_last_administrators_only_one_can_be_disabled_at_once():
    account = AccountFactory()
    admins = [UserFactory(account=account, is_admin=True) for _ in range(2)]

    def disable(user):
        try:
            disable_user(user, by=None)
        except Conflict:
            return "refused"
        return "disabled"

    outcomes = all_at_once([partial(disable, user) for user in admins], account=account)

    assert sorted(outcomes) == ["disabled", "refused"]
    with account_scope(account):
        assert User.objects.admins().count() == 1
