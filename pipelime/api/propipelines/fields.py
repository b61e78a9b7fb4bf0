"""Fields of leads and of client folders, by what they stand for."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response

from crm.fields import create_field
from crm.models import Field
from pipelime.api.propipelines.answers import whole_list
from pipelime.api.propipelines.errors import unprocessable
from pipelime.api.propipelines.parameters import flag, moment, one_of
from pipelime.api.propipelines.resources import ProPipeLinesViewSet

KINDS = {"lead": Field.Kind.LEAD, "client": Field.Kind.COMPANY}
PARENTS = {kind.value: parent for parent, kind in KINDS.items()}
UNSET = "unset"
TYPES = (UNSET, *Field.Meaning.values)
LONGEST_NAME = 32


class FieldViewSet(ProPipeLinesViewSet):
    subject = "fields"
    admin_only = frozenset({"create"})

    def get_queryset(self):
        return Field.objects.filter(kind__in=PARENTS)

    def list(self, request) -> Response:
        fields = self.get_queryset().order_by("-kind", "position", "pk")  # those of leads come first
        if self.given.get("type"):
            fields = fields.filter(kind=KINDS[one_of(self.given, "type", tuple(KINDS), "lead")])
        return whole_list([field_shape(field) for field in fields])

    def create(self, request) -> Response:
        given = self.body()
        name = short_name(self.needed("name"))
        self.needed("parent_type")
        meaning = one_of(given, "type", TYPES, UNSET)
        field = create_field(
            self.account,
            by=self.by,
            kind=KINDS[one_of(given, "parent_type", tuple(KINDS), "lead")],
            name=name,
            meaning="" if meaning == UNSET else meaning,
            is_key=flag(given.get("is_key"), "is_key"),
        )
        return Response(field_shape(field), status=201)


def short_name(name: Any) -> Any:
    if isinstance(name, str) and len(name.strip()) > LONGEST_NAME:
        raise unprocessable(f"name has {len(name.strip())} characters; at most {LONGEST_NAME} fit")
    return name


def field_shape(field: Field) -> dict[str, Any]:
    return {
        "id": field.pk,
        "name": field.name,
        "type": field.meaning or UNSET,
        "parent_type": PARENTS[field.kind],
        "position": field.position,
        "is_key": field.is_key,
        "created_at": moment(field.created_at),
        "updated_at": moment(field.updated_at),
    }
