"""Client folders: our companies. All that are marked as clients are listed; any answers to its id."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response

from crm import descriptions
from crm.companies import create_company, delete_company, update_company
from crm.models import Company, Field
from pipelime.accounts.models import User
from pipelime.api.propipelines import meanings
from pipelime.api.propipelines.answers import whole_list
from pipelime.api.propipelines.errors import not_with_token
from pipelime.api.propipelines.lead_facts import colleague
from pipelime.api.propipelines.meanings import by_meaning
from pipelime.api.propipelines.parameters import direction, flag, moment, one_of
from pipelime.api.propipelines.people import brief_user_shape
from pipelime.api.propipelines.resources import ProPipeLinesViewSet
from pipelime.permalinks import permalink

ORDERS = {"name": "name_key", "id": "id"}


class ClientViewSet(ProPipeLinesViewSet):
    subject = "companies"

    def get_queryset(self):
        return Company.objects.alive().select_related("owner")

    def list(self, request) -> Response:
        way = direction(self.given, "asc")
        column = ORDERS[one_of(self.given, "order", tuple(ORDERS), "name")]
        rows = self.get_queryset().filter(is_client=True).order_by(f"{way}{column}", f"{way}id")
        return whole_list([client_shape(company) for company in rows])

    def create(self, request) -> Response:
        company = create_company(
            self.account,
            by=self.by,
            name=self.needed("name"),
            description=self.body().get("description"),
            is_client=True,
            owner=self.owner(self.body().get("user_id")),
        )
        return Response(single_client_shape(company), status=201)

    def retrieve(self, request, id: str) -> Response:
        return Response(single_client_shape(self.row()))

    def update(self, request, id: str) -> Response:
        company, given = self.row(), self.body()
        changes = {name: given[name] for name in ("name", "description") if name in given}
        if "is_active" in given:
            changes["is_active"] = flag(given["is_active"], "is_active")
        return Response(single_client_shape(update_company(company, by=self.by, **changes)))

    def destroy(self, request, id: str) -> Response:
        return self.deleted(self.row(), delete_company)

    def owner(self, given: Any) -> User | None:
        """Whose folder a new one is: without a word, whoever makes it."""
        if given in (None, ""):
            return self.by if isinstance(self.by, User) else None
        if self.caller.user is not None:
            raise not_with_token("user_id")
        return colleague(given)


def folder_shape(company: Company) -> dict[str, Any]:
    """As its leads name it."""
    return {
        "id": company.pk,
        "name": company.name,
        "description": company.description,
        "is_active": company.is_active,
        "created_at": moment(company.created_at),
    }


def client_shape(company: Company) -> dict[str, Any]:
    return {**folder_shape(company), "user_id": company.owner_id}


def single_client_shape(company: Company) -> dict[str, Any]:
    fields = descriptions.company_fields()
    return {
        **client_shape(company),
        "extended_info": {
            "permalink": permalink("clients", company.pk),
            "fields": by_meaning(company.description, fields, meanings.CLIENT),
            "fields_by_name": by_name(company.description, fields),
            "user": brief_user_shape(company.owner),
        },
    }


def by_name(text: str, fields: list[Field]) -> dict[str, str | None]:
    return {**dict.fromkeys(field.name for field in fields), **descriptions.by_name(text, fields)}
