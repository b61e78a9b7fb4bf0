"""Logging in by e-mail and password. One of the few places that look before an account is known."""

from __future__ import annotations

from django.contrib.auth.backends import BaseBackend

from pipelime.accounts.models import User
from pipelime.scope import every_account


class EmailBackend(BaseBackend):
    def authenticate(self, request, username=None, password=None, email=None, **kwargs):
        address = User.normalise(email or username or "")
        if not address or password is None:
            return None
        with every_account():
            user = User.objects.select_related("account").filter(email=address).first()
            if user is None:
                User().set_password(password)  # the same work for an unknown address as for a known one
                return None
            return user if user.check_password(password) and user.is_active else None

    def get_user(self, user_id):
        with every_account():
            user = User.objects.select_related("account").filter(pk=user_id).first()
        return user if user is not None and user.is_active else None
