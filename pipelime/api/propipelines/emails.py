"""Mail to a lead from a template."""

from __future__ import annotations

from rest_framework.response import Response

from outreach.models import EmailTemplate
from outreach.template_mail import send_template
from pipelime.api.propipelines.lead_filters import seen_leads
from pipelime.api.propipelines.resources import ProPipeLinesViewSet
from pipelime.errors import Invalid


class LeadEmailViewSet(ProPipeLinesViewSet):
    subject = "leads"

    def get_queryset(self):
        return seen_leads(self.caller).with_parts()

    def send_email_from_template(self, request, id: str) -> Response:
        """It is on its way when this answers; whatever keeps it from leaving is an error that says so."""
        lead = self.row()
        template = self.row(EmailTemplate.objects.all(), self.needed("email_template_id"))
        try:
            send_template(template, lead, by=self.by)
        except Invalid as refusal:  # the document's texts for broken rules speak of changing a lead
            raise Invalid(str(refusal), field=refusal.field) from None
        return Response({"message": "Sending email..."})
