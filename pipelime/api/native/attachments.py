"""Attachments: files and links on leads."""

from __future__ import annotations

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from crm.attachments import attach_file, attach_link, delete_attachment, signed_url
from crm.models import Attachment, Lead
from pipelime.api.bodies import JSONParser, TooLarge, UploadParser, announced
from pipelime.api.native.imports import Upload
from pipelime.api.native.inputs import Input
from pipelime.api.native.pages import KeysetPagination
from pipelime.api.native.references import UserRef
from pipelime.api.native.resources import NativeViewSet, gone
from pipelime.api.native.shapes import Computed, Shaped
from pipelime.permalinks import permalink

AROUND = 1024 * 1024  # what a form may hold beside the file


def permanent_url(number: int, url: str) -> str:
    return url or permalink("attachments", number)


class AttachmentParser(UploadParser):
    """Refused by its announced size, before a byte is stored."""

    def parse(self, stream, media_type=None, parser_context=None):
        if announced(parser_context) > settings.ATTACHMENT_LIMIT + AROUND:
            raise TooLarge(f"The upload is larger than {settings.ATTACHMENT_LIMIT} bytes")
        return super().parse(stream, media_type, parser_context)


class AttachmentSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=Attachment.Kind.choices)
    url = Computed(permanent_url, "pk", "url", kind=serializers.CharField())
    content_type = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    created_by = UserRef(allow_null=True)
    created_at = serializers.DateTimeField()


class AttachmentInput(Input):
    """A file, or the address of a page and what kind of page it is."""

    file = Upload(required=False, help_text="At most 25 MB.")
    url = serializers.CharField(max_length=2000, required=False)
    name = serializers.CharField(max_length=1000, required=False)
    kind = serializers.CharField(max_length=20, required=False)

    def validate(self, values):
        if ("file" in values) == ("url" in values):
            raise serializers.ValidationError({"file": ["Send a file, or the url of a page with its kind"]})
        if "url" in values:
            values.setdefault("name", values["url"][-250:])
            values.setdefault("kind", Attachment.Kind.DROPBOX)
        return values


class AttachmentUrlSerializer(serializers.Serializer):
    url = serializers.CharField(help_text="Works for three minutes, without a key.")


class LeadAttachmentViewSet(NativeViewSet):
    """The files and links of one lead."""

    subject = "leads"
    serializer_class = AttachmentSerializer
    inputs = {"create": AttachmentInput}
    parameters = {"list": KeysetPagination.PARAMETERS}
    parser_classes = [AttachmentParser, JSONParser]
    orders = {"id": "id"}
    default_order = "-id"

    def get_queryset(self):
        return Lead.objects.alive().visible_to(self.caller.user)

    @extend_schema(operation_id="leads_attachments_list", responses=AttachmentSerializer(many=True))
    def list(self, request, id):
        """The newest first."""
        rows = Attachment.objects.filter(lead=self.row())
        return Response(self.paginator.answer(rows, self, AttachmentSerializer))

    @extend_schema(operation_id="leads_attachments_create", responses={201: AttachmentSerializer})
    def create(self, request, id):
        """Attach a file by multipart/form-data, or a page by its address."""
        lead = self.row()
        body = self.body()
        attach = attach_file if "file" in body else attach_link
        return self.created(attach(lead=lead, by=self.by, **body))


class AttachmentViewSet(NativeViewSet):
    """One attachment."""

    subject = "leads"
    serializer_class = AttachmentSerializer

    def get_queryset(self):
        return Attachment.objects.visible_to(self.caller.user)

    @extend_schema(responses=AttachmentUrlSerializer)
    def retrieve(self, request, id):
        """Where to fetch the file: an address that works for three minutes, without a key."""
        found = self.row()
        return Response({"url": signed_url(found) if found.is_stored else found.url})

    def destroy(self, request, id):
        delete_attachment(self.row(), by=self.by)
        return gone()
