"""Users: the people of the account. Only administrators manage them."""

from __future__ import annotations

from django_filters import CharFilter
from rest_framework import serializers
from rest_framework.decorators import action

from pipelime.accounts.models import User
from pipelime.accounts.people import disable_user, enable_user, invite_user, send_activation, update_user
from pipelime.api.http import WRITES
from pipelime.api.native.filters import CheckedFilters, FlagFilter
from pipelime.api.native.inputs import Input, Nothing
from pipelime.api.native.resources import Lists, NativeViewSet, Shows
from pipelime.api.native.shapes import Computed, Shaped
from pipelime.errors import Conflict


class UserSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    email = serializers.EmailField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    job_title = serializers.CharField()
    phone = serializers.CharField()
    mobile_phone = serializers.CharField()
    im_type = serializers.CharField()
    im = serializers.CharField()
    is_admin = serializers.BooleanField()
    is_disabled = Computed(bool, "disabled_at", kind=serializers.BooleanField())
    locale = serializers.CharField()
    time_zone = serializers.CharField()
    default_reminder_duration = serializers.IntegerField()
    sees_unassigned = serializers.BooleanField()
    wants_assignment_mail = serializers.BooleanField()
    activated_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class UserInput(Input):
    email = serializers.CharField(max_length=254)
    first_name = serializers.CharField(max_length=150, required=False, allow_blank=True)
    last_name = serializers.CharField(max_length=150, required=False, allow_blank=True)
    job_title = serializers.CharField(max_length=250, required=False, allow_blank=True)
    phone = serializers.CharField(max_length=64, required=False, allow_blank=True)
    mobile_phone = serializers.CharField(max_length=64, required=False, allow_blank=True)
    im_type = serializers.CharField(max_length=50, required=False, allow_blank=True)
    im = serializers.CharField(max_length=150, required=False, allow_blank=True)
    is_admin = serializers.BooleanField(required=False)
    locale = serializers.CharField(max_length=10, required=False)
    time_zone = serializers.CharField(max_length=64, required=False, allow_blank=True)
    default_reminder_duration = serializers.IntegerField(min_value=0, max_value=480, required=False)
    sees_unassigned = serializers.BooleanField(required=False)
    wants_assignment_mail = serializers.BooleanField(required=False)


class InvitationInput(UserInput):
    send_mail = serializers.BooleanField(required=False, help_text="false invites without a mail.")


class UserFilter(CheckedFilters):
    email = CharFilter(field_name="email", lookup_expr="iexact")
    is_admin = FlagFilter(field_name="is_admin")
    is_disabled = FlagFilter(field_name="disabled_at", lookup_expr="isnull", exclude=True)


class UserViewSet(Lists, Shows, NativeViewSet):
    """The people of the account."""

    subject = "users"
    admin_methods = WRITES
    serializer_class = UserSerializer
    input_class = UserInput
    inputs = {"create": InvitationInput, "disable": Nothing, "enable": Nothing, "invite": Nothing}
    filterset_class = UserFilter
    orders = {"id": "id", "email": "email", "last_name": "last_name", "created_at": "created_at"}
    default_order = "id"

    def get_queryset(self):
        return User.objects.all()

    def create(self, request):
        """Invite somebody: they are mailed a link to set a password."""
        return self.created(invite_user(self.account, by=self.by, **self.body()))

    def partial_update(self, request, id):
        return self.answer(update_user(self.row(), by=self.by, **self.body()))

    @action(detail=True, methods=["post"])
    def disable(self, request, id):
        self.body()
        return self.answer(disable_user(self.row(), by=self.by))

    @action(detail=True, methods=["post"])
    def enable(self, request, id):
        self.body()
        return self.answer(enable_user(self.row(), by=self.by))

    @action(detail=True, methods=["post"])
    def invite(self, request, id):
        """Mail the invitation again. Its link is as good as the first, until one of them is used."""
        self.body()
        user = self.row()
        if user.activated_at is not None:
            raise Conflict(f"{user.name} has set a password already, and needs no invitation")
        send_activation(user, by=self.by)
        return self.answer(user)
