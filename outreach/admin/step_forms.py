"""The step editor of a campaign's page: steps, each with its variants, and the hours it works in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.forms import BaseFormSet, formset_factory
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from outreach.models import SequenceStep
from outreach.steps import DELAY_LIMITS, MOST_STEPS
from outreach.windows import DAYS

DAY_NAMES = dict(zip(DAYS, ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))
UNIT_NAMES = {"days": "days", "business_days": "business days", "hours": "hours"}
WORDS = ("subject", "body")


def number(label: str, **kwargs: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, min_value=0, required=False, widget=UnfoldAdminIntegerFieldWidget, **kwargs
    )


class VariantForm(forms.Form):
    subject = forms.CharField(required=False, max_length=998, widget=UnfoldAdminTextInputWidget)
    body = forms.CharField(
        label="Text", required=False, strip=False, widget=UnfoldAdminTextareaWidget({"rows": 8})
    )
    weight = number("Weight", max_value=1000, initial=1)

    @property
    def is_blank(self) -> bool:
        return not any((self.cleaned_data.get(name) or "").strip() for name in WORDS)

    def given(self) -> dict[str, Any]:
        values = self.cleaned_data
        weight = values.get("weight")
        words = {name: values.get(name) or "" for name in WORDS}
        return words | {"weight": 1 if weight is None else weight}


VariantForms = formset_factory(VariantForm, extra=0, min_num=1, max_num=26, can_delete=True)


class StepForm(forms.Form):
    channel = forms.ChoiceField(
        choices=SequenceStep.Channel.choices, initial="email", widget=UnfoldAdminSelectWidget
    )
    condition = forms.ChoiceField(
        label="Only if",
        choices=[("", "– everybody –"), *SequenceStep.Condition.choices],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    days = number("days", max_value=DELAY_LIMITS["days"])
    business_days = number("business days", max_value=DELAY_LIMITS["business_days"])
    hours = number("hours", max_value=DELAY_LIMITS["hours"])

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["channel"].disabled = self.initial.get("is_begun", False)
        self.variants = VariantForms(
            self.data if self.is_bound else None,
            initial=self.initial.get("variants"),
            prefix=f"{self.prefix}-variants",
        )

    @property
    def delay(self) -> list[forms.BoundField]:
        return [self[unit] for unit in UNIT_NAMES]

    def has_changed(self) -> bool:
        return super().has_changed() or self.variants.has_changed()

    def is_valid(self) -> bool:
        return super().is_valid() and self.variants.is_valid()

    def given(self) -> dict[str, Any]:
        """The step as the verb takes it. A variant without any words is taken away, but for the last."""
        values = self.cleaned_data
        kept = [one for one in self.variants if not one.cleaned_data.get("DELETE")]
        written = [one for one in kept if not one.is_blank] or kept[:1] or self.variants.forms[:1]
        return {
            "channel": values["channel"],
            "condition": values["condition"] or None,
            "delay": {unit: values[unit] or 0 for unit in UNIT_NAMES},
            "variants": [one.given() for one in written],
        }


class Steps(BaseFormSet):
    def given(self) -> list[dict[str, Any]]:
        """One that was added and left as it was is none."""
        return [
            form.given()
            for position, form in enumerate(self.forms)
            if not form.cleaned_data.get("DELETE")
            and (position < self.initial_form_count() or form.has_changed())
        ]


class WindowForm(forms.Form):
    days = forms.MultipleChoiceField(
        label="On",
        choices=list(DAY_NAMES.items()),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    begins = forms.CharField(
        label="From", required=False, widget=UnfoldAdminTextInputWidget({"placeholder": "00:00"})
    )
    ends = forms.CharField(
        label="To", required=False, widget=UnfoldAdminTextInputWidget({"placeholder": "24:00"})
    )


class Windows(BaseFormSet):
    def given(self) -> list[dict[str, Any]]:
        """No days, no window; and without any window it may be at any time."""
        kept = [form.cleaned_data for form in self.forms if not form.cleaned_data.get("DELETE")]
        return [
            {"days": values["days"], "from": values["begins"] or "00:00", "to": values["ends"] or "24:00"}
            for values in kept
            if values.get("days")
        ]


StepForms = formset_factory(StepForm, Steps, extra=0, max_num=MOST_STEPS, can_delete=True)
WindowForms = formset_factory(WindowForm, Windows, extra=0, max_num=30, can_delete=True)


def step_facts(steps: Iterable[dict[str, Any]], *, begun: bool = False) -> list[dict[str, Any]]:
    """Steps in the verb's words as the editor shows them. Of those that have begun the channel stays."""
    return [
        {
            "channel": step["channel"],
            "condition": step.get("condition") or "",
            "variants": step.get("variants") or [{name: step.get(name, "") for name in WORDS}],
            "is_begun": begun,
            **{unit: step.get("delay", {}).get(unit) or None for unit in UNIT_NAMES},
        }
        for step in steps
    ]


def window_facts(windows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"days": one["days"], "begins": one["from"], "ends": one["to"]} for one in windows]
