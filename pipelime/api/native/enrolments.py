"""Contacts in a campaign: who is in it and how far they are, and putting more of them in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import QuerySet
from django_filters import CharFilter, UUIDFilter
from rest_framework import exceptions, serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from crm.models import Contact, ImportJob, ImportRow
from outreach.enrolling import Enrolled
from outreach.enrolments import (
    jump,
    pause_enrolment,
    release_enrolment,
    remove_enrolment,
    resume_enrolment,
    set_intent,
)
from outreach.models import Enrolment
from pipelime.api.native.contacts import ContactFilter
from pipelime.api.native.filters import CheckedFilters, WordsFilter
from pipelime.api.native.inputs import Input, Nothing, ObjectField, RowField, no_such
from pipelime.api.native.references import ContactRef, NamedRef
from pipelime.api.native.resources import Lists, NativeViewSet, Shows
from pipelime.api.native.shapes import Computed, Shaped
from pipelime.search import documents

MOST_IDS = 10_000
WAYS = ("contact_ids", "import_id", "filter")
# What a finished import knows of its contacts; unchanged ones leave no row.
TOUCHED = (ImportRow.Outcome.CREATED, ImportRow.Outcome.UPDATED, ImportRow.Outcome.SKIPPED)


def or_null(value: str) -> str | None:
    return value or None


class EnrolmentSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    campaign = NamedRef()
    contact = ContactRef()
    email = serializers.CharField(source="address")
    status = serializers.ChoiceField(choices=Enrolment.State.choices, source="state")
    reason = serializers.CharField(help_text="Why it is held or stopped.")
    step = serializers.IntegerField(source="step_number", help_text="The step that is next, or under way.")
    due_at = serializers.DateTimeField()
    parked_until = serializers.DateTimeField(allow_null=True, help_text="Out of office until then.")
    replied_at = serializers.DateTimeField(allow_null=True)
    connected_at = serializers.DateTimeField(allow_null=True)
    intent = Computed(
        or_null, "intent", kind=serializers.ChoiceField(Enrolment.Intent.choices, allow_null=True)
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class EnrolmentFilter(CheckedFilters):
    status = WordsFilter(field_name="state")
    email = CharFilter(field_name="address", lookup_expr="iexact")


class AnyEnrolmentFilter(EnrolmentFilter):
    campaign = UUIDFilter(field_name="campaign__uid")
    contact = UUIDFilter(field_name="contact__uid")
    intent = WordsFilter(field_name="intent")


class IntentInput(Input):
    intent = serializers.ChoiceField(
        choices=Enrolment.Intent.choices, allow_null=True, help_text="What the contact's answer says."
    )


class JumpInput(Input):
    step = serializers.IntegerField(min_value=1, help_text="The number of a step not done for this contact.")


class EnrolmentViewSet(Lists, Shows, NativeViewSet):
    """Contacts' places in campaigns."""

    subject = "campaigns"
    what = "enrolment"
    serializer_class = EnrolmentSerializer
    input_class = IntentInput
    inputs = {**dict.fromkeys(("pause", "resume", "remove", "release"), Nothing), "jump": JumpInput}
    filterset_class = AnyEnrolmentFilter

    def get_queryset(self):
        return Enrolment.objects.all()

    def partial_update(self, request, id):
        found, given = self.row(), self.body()
        return self.answer(set_intent(found, given["intent"] or "", by=self.by) if given else found)

    @action(detail=True, methods=["post"])
    def pause(self, request, id):
        """Nothing more is begun for this contact; what is being sent cannot be recalled."""
        return self.moved(pause_enrolment)

    @action(detail=True, methods=["post"])
    def resume(self, request, id):
        return self.moved(resume_enrolment)

    @action(detail=True, methods=["post"])
    def remove(self, request, id):
        """Out of the campaign for good; what was sent stays on record."""
        return self.moved(remove_enrolment)

    @action(detail=True, methods=["post"])
    def release(self, request, id):
        """What it was held for is mended: it waits for its turn again."""
        return self.moved(release_enrolment)

    @action(detail=True, methods=["post"])
    def jump(self, request, id):
        """Go on with this step as soon as the campaign's hours allow. Nobody gets a step twice."""
        found = self.row()
        return self.answer(jump(found, self.body()["step"], by=self.by))

    def moved(self, verb: Callable[..., Enrolment]) -> Response:
        found = self.row()
        self.body()
        return self.answer(verb(found, by=self.by))


class LeftOutSerializer(serializers.Serializer):
    contact_id = serializers.UUIDField()
    code = serializers.CharField()


class EnrolledSerializer(serializers.Serializer):
    """What became of the contacts: `left_out` counts them by reason, `who` names the first hundred."""

    added = serializers.IntegerField()
    left_out = serializers.DictField(child=serializers.IntegerField())
    who = LeftOutSerializer(many=True)


class EnrolInput(Input):
    """One of contact_ids, import_id and filter."""

    contact_ids = serializers.ListField(
        child=serializers.UUIDField(), required=False, allow_empty=False, max_length=MOST_IDS
    )
    import_id = RowField(
        ImportJob.objects.all, "import", required=False, help_text="Contacts that it made or changed."
    )
    filter = ObjectField(required=False, help_text="As the list of contacts takes; {} means all of them.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError(f"Send one of {', '.join(WAYS)}")
        return attrs


def chosen(body: dict[str, Any]) -> QuerySet[Contact]:
    """The contacts that a body names, in one of the ways."""
    if "contact_ids" in body:
        return with_ids(body["contact_ids"])
    return imported_by(body["import_id"]) if "import_id" in body else matching(body["filter"])


def with_ids(uids: Iterable[Any]) -> QuerySet[Contact]:
    wanted = set(uids)
    found = dict(Contact.objects.filter(uid__in=wanted).values_list("uid", "pk"))
    if missing := sorted(map(str, wanted - found.keys())):
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise refused("contact_ids", f"There is no contact with the id '{missing[0]}'{more}")
    return Contact.objects.filter(pk__in=found.values())


def imported_by(job: ImportJob) -> QuerySet[Contact]:
    if job.kind != ImportJob.Kind.CONTACTS:
        raise refused("import_id", f"This import holds {job.kind}; choose one of contacts")
    if job.status != ImportJob.Status.DONE:
        raise refused("import_id", f"This import is {job.status}; wait until it is done")
    rows = ImportRow.objects.filter(job=job, outcome__in=TOUCHED, object_id__isnull=False)
    return Contact.objects.filter(pk__in=rows.values("object_id"))


def matching(given: dict[str, Any]) -> QuerySet[Contact]:
    """The contacts that the list shows with these parameters."""
    known = ["search", *ContactFilter.base_filters]
    if unknown := [name for name in given if name not in known]:
        raise exceptions.ValidationError(
            {f"filter.{name}": [no_such("filter", name, known)] for name in unknown}
        )
    rows = ContactFilter(
        {name: as_parameter(value) for name, value in given.items()}, Contact.objects.alive()
    )
    found = rows.narrowed()
    words = str(given.get("search") or "").strip()
    return found.filter(pk__in=documents.find("contact", words)) if words else found


def as_parameter(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def refused(field: str, words: str) -> exceptions.ValidationError:
    return exceptions.ValidationError({field: [words]})


def outcome(result: Enrolled) -> dict[str, Any]:
    return {"added": result.added, "left_out": dict(result.left_out), "who": result.who}
