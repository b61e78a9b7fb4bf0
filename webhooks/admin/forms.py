"""The form of a webhook: what kind it is, where it goes, and what it hears."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from pipelime.accounts.models import Account
from pipelime.backoffice.forms import RecordForm
from webhooks.dialects import dialect_named
from webhooks.models import Endpoint

TARGETS = dict(Endpoint.TargetType.choices)
STANDARD = "native:url"


def kinds() -> list[tuple[str, str]]:
    """Every dialect with every target that it has."""
    return [
        (f"{name}:{target}", f"{dialect_named(name).label}, to {TARGETS[target]}")
        for name in settings.WEBHOOK_DIALECTS
        for target in dialect_named(name).targets
    ]


def kinds_with_one_event() -> list[str]:
    return [kind for kind, _ in kinds() if dialect_named(kind.partition(":")[0]).is_once]


class EndpointForm(RecordForm):
    """`events` are patterns; `event` is one of the names that a vendor has."""

    account: Account  # set by the page

    kind = forms.ChoiceField(
        choices=kinds, initial=STANDARD, required=False, widget=UnfoldAdminSelectWidget,
        help_text="The kind decides how events are named, written and signed.",
    )  # fmt: skip
    events = forms.CharField(
        initial="*",
        required=False,
        help_text='Separated by blanks: "*" for all, or such as "contact.created lead.*" or "message.sent".',
        widget=UnfoldAdminTextInputWidget,
    )
    event = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        heard, other = ("event", "events") if self.has_choices() else ("events", "event")
        self.renamed = {"events": heard}
        if self.instance.pk is not None:
            self.fields["kind"].widget = forms.HiddenInput()
            self.initial["kind"] = ":".join(self.chosen())
            self.fields.pop(other, None)
            self.fields.pop("url" if self.instance.target_type == "email" else "email", None)
            self.initial["events"] = " ".join(self.instance.events)
            self.initial["event"] = self.instance.events[0]
        if "event" in self.fields:
            self.fields["event"].choices = self.choices()

    def chosen(self) -> list[str]:
        """Dialect and target of the webhook, as stored or as it is being chosen."""
        if self.instance.pk is not None:
            return [self.instance.dialect, self.instance.target_type]
        known = self.data.get("kind")
        return (known if known in dict(kinds()) else STANDARD).split(":")

    def has_choices(self) -> bool:
        return dialect_named(self.chosen()[0]).is_once

    def choices(self) -> list[Any]:
        """Those of its dialect; of a new webhook, all there are. One whose step is gone keeps its name."""
        names = [self.instance.dialect] if self.instance.pk is not None else settings.WEBHOOK_DIALECTS
        found: list[Any] = [group for name in names for group in dialect_named(name).choices(self.account)]
        known = {name for _, group in found for name, _ in group}
        kept = [(name, name) for name in self.instance.events if name not in known]
        return [("", "---------"), *found, *kept]

    def given(self, *, everything: bool) -> dict[str, Any]:
        values = super().given(everything=everything)
        event, patterns = values.pop("event", None), values.pop("events", None)
        values.pop("kind", None)
        if self.has_choices():
            patterns = None if event is None else [event]
        elif patterns is not None:
            patterns = patterns.replace(",", " ").split()
        if patterns is not None:
            values["events"] = patterns
        if everything:
            values["dialect"], values["target_type"] = self.chosen()
        return values
