"""The import wizard's form: which column goes where, how the file is read, what happens to known records."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget

from crm.importing.delimiters import DELIMITERS
from crm.importing.encodings import ENCODINGS
from crm.importing.mapping import CUSTOM, FIELD_KIND, FIELDS
from crm.models import Field, ImportJob

COLUMN = "column_"
SAMPLES = 3
LABELS = {
    "email": "E-mail", "email_2": "Further e-mail", "first_name": "First name", "last_name": "Last name",
    "full_name": "Full name", "job_title": "Job title", "phone": "Phone", "mobile": "Mobile phone",
    "linkedin_url": "LinkedIn page", "company": "Company", "location": "Location", "tags": "Tags",
    "name": "Company name", "domain": "Domain", "description": "Description", "title": "Title",
    "amount": "Amount", "step": "Step", "status": "Status",
}  # fmt: skip
DUPLICATES = {
    ImportJob.OnDuplicate.UPDATE: "are updated; blank cells erase nothing",
    ImportJob.OnDuplicate.SKIP: "are left as they are",
}


class UploadForm(forms.Form):
    file = forms.FileField(
        label="File",
        help_text="CSV, TSV or Excel (.xlsx).",
        widget=UnfoldAdminFileFieldWidget({"accept": ".csv,.tsv,.txt,.xlsx"}),
    )
    kind = forms.ChoiceField(
        label="It holds",
        choices=ImportJob.Kind.choices,
        initial="contacts",
        widget=UnfoldAdminRadioSelectWidget,
    )


class MappingForm(forms.Form):
    """One choice a column; fields are numbered, because headers may be anything."""

    on_duplicate = forms.ChoiceField(
        label="Records that are known already",
        choices=list(DUPLICATES.items()),
        widget=UnfoldAdminRadioSelectWidget,
    )

    def __init__(self, job: ImportJob, data: Any = None):
        self.job = job
        super().__init__(data, initial={"on_duplicate": job.on_duplicate})
        if job.encoding:
            known = {job.encoding: job.encoding} | ENCODINGS
            self.add("encoding", "Encoding", list(known.items()), job.encoding)
            signs = DELIMITERS | {job.delimiter: DELIMITERS.get(job.delimiter, job.delimiter)}
            self.add("delimiter", "Cells are separated by", list(signs.items()), job.delimiter)
        choices = field_choices(job.kind)
        for number, name in enumerate(job.header):
            self.add(f"{COLUMN}{number}", str(name), choices, job.mapping.get(name) or "")

    def add(self, name: str, label: str, choices: list[tuple[str, str]], initial: str) -> None:
        widget = UnfoldAdminSelectWidget(attrs={"aria-label": f"{label} goes to"} if COLUMN in name else None)
        self.fields[name] = forms.ChoiceField(
            label=label, choices=choices, initial=initial, required=False, widget=widget
        )

    def columns(self) -> list[dict[str, Any]]:
        """Each column with its choice and the first cells that say something."""
        return [
            {"name": name, "field": self[f"{COLUMN}{number}"], "samples": samples(self.job.sample, number)}
            for number, name in enumerate(self.job.header)
        ]

    def chosen(self) -> dict[str, Any]:
        """What the verb is told. Another way of reading means other columns, so no mapping then."""
        values = self.cleaned_data
        chosen = {"on_duplicate": values["on_duplicate"]}
        for name in ("encoding", "delimiter"):
            if name in self.fields and values[name] and values[name] != getattr(self.job, name):
                chosen[name] = values[name]
        if not {"encoding", "delimiter"} & chosen.keys():
            chosen["mapping"] = {
                name: values[f"{COLUMN}{number}"] or None for number, name in enumerate(self.job.header)
            }
        return chosen


def field_choices(kind: str) -> list[tuple[str, str]]:
    customs = Field.objects.filter(kind=FIELD_KIND[kind]).values_list("key", "name")
    return [
        ("", "Left out"),
        *((name, LABELS.get(name, name)) for name in FIELDS[kind]),
        *((CUSTOM + key, name) for key, name in customs),
    ]


def samples(rows: list[list[str]], column: int) -> list[str]:
    cells = [row[column] for row in rows if column < len(row) and row[column].strip()]
    return list(dict.fromkeys(cells))[:SAMPLES]
