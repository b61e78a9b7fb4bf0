"""The form behind every record's page: it takes the domain's refusals onto its own fields."""

from __future__ import annotations

from typing import Any

from django import forms

from pipelime.errors import Invalid, PipelimeError


class RecordForm(forms.ModelForm):
    """`refusal` is what the verb said when this form was saved a moment ago; pages show it in the form."""

    refusal: PipelimeError | None = None
    # Names of the domain -> names of this form, where they differ.
    renamed: dict[str, str] = {}

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if self.refusal is not None:
            self.take(self.refusal)
        return values

    def take(self, refusal: PipelimeError) -> None:
        named = refusal.fields if isinstance(refusal, Invalid) else {}
        for name, messages in (named or {"": [str(refusal)]}).items():
            field = self.renamed.get(name, name)
            self.add_error(field if field in self.fields else None, list(messages))

    def given(self, *, everything: bool) -> dict[str, Any]:
        """What the verb is told: all fields of a new record, only the changed ones of an old one."""
        names = self.fields if everything else self.changed_data
        return {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}
