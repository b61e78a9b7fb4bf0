"""What devices hold after a login, and how it ends."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from pipelime.accounts.keys import end_token, find_token, issue_token
from pipelime.accounts.models import UserToken
from pipelime.accounts.people import disable_user


def test_a_token_is_good_for_thirty_days(account, seller):
    token, raw = issue_token(seller)

    with time_machine.travel(timezone.now() + timedelta(days=29, hours=23), tick=False):
        assert find_token(raw) == token
    with time_machine.travel(timezone.now() + timedelta(days=30, minutes=1), tick=False):
        assert find_token(raw) is None


def test_ending_a_token_leaves_the_others(account, seller):
    raw, other = issue_token(seller)[1], issue_token(seller)[1]

    assert end_token(raw) is True
    assert end_token(raw) is False
    assert find_token(raw) is None
    assert find_token(other).user == seller


@pytest.mark.parametrize("raw", ["", "nothing", "\x00", "é" * 300])
def test_what_is_no_token_ends_nothing(account, seller, raw):
    issue_token(seller)

    assert end_token(raw) is False
    assert UserToken.objects.count() == 1


def test_disabling_somebody_ends_their_tokens_for_good(account, user, seller):
    raw = issue_token(seller)[1]

    disable_user(seller, by=user)

    assert find_token(raw) is None
    assert not UserToken.objects.exists()
