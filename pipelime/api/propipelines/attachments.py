"""Files and links on leads, and the picture of a lead's business card."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from rest_framework.response import Response

from crm.attachments import attach_file, delete_attachment, signed_url
from crm.models import Attachment
from pipelime.api.propipelines.answers import whole_list
from pipelime.api.propipelines.errors import missing
from pipelime.api.propipelines.lead_filters import seen_leads
from pipelime.api.propipelines.leads import LeadPartViewSet
from pipelime.errors import NotFound
from pipelime.permalinks import permalink


class LeadAttachmentViewSet(LeadPartViewSet):
    def get_queryset(self):
        return Attachment.objects.filter(lead__in=seen_leads(self.caller))

    def list(self, request, lead_id: str) -> Response:
        rows = self.get_queryset().filter(lead=self.lead()).order_by("pk")
        return whole_list([attachment_shape(attachment) for attachment in rows])

    def retrieve(self, request, lead_id: str, id: str) -> Response:
        """Where the file itself is, for three minutes. A page elsewhere cannot be downloaded from here."""
        attachment = self.attachment()
        if not attachment.is_stored:
            raise NotFound("This is a link, not a file to download")
        return Response({"url": signed_url(attachment)})

    def create(self, request, lead_id: str) -> Response:
        lead, file = self.lead(), self.body().get("attachment")
        if not isinstance(file, UploadedFile):
            raise missing("attachment")
        attachment = attach_file(by=self.by, file=file, lead=lead)
        return Response({**attachment_shape(attachment), "url": signed_url(attachment)}, status=201)

    def destroy(self, request, lead_id: str, id: str) -> Response:
        return self.deleted(self.attachment(), delete_attachment)

    def attachment(self) -> Attachment:
        return self.row(self.get_queryset().filter(lead=self.lead()))


class BusinessCardViewSet(LeadPartViewSet):
    def get_queryset(self):
        cards = Attachment.objects.filter(kind=Attachment.Kind.BUSINESS_CARD)
        return cards.filter(lead__in=seen_leads(self.caller))

    def retrieve(self, request, lead_id: str) -> Response:
        card = self.get_queryset().filter(lead=self.lead()).order_by("-pk").first()
        if card is None:
            raise NotFound("This lead has no business card")
        return Response({"url": signed_url(card)})


def attachment_shape(attachment: Attachment) -> dict[str, Any]:
    return {
        "id": attachment.pk,
        "name": attachment.name,
        "url": attachment.url or permalink("attachments", attachment.pk),
        "content_type": attachment.content_type or None,
        "kind": attachment.kind,
    }
