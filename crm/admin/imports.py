"""The import wizard: upload, see what would happen, choose, import, take back. Its state is the job's own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from unfold.decorators import display

from crm.admin.wizard import MappingForm, UploadForm
from crm.importing import jobs
from crm.models import ImportJob, ImportRow
from pipelime.backoffice.admin import Button, WorkspaceAdmin, account_of
from pipelime.errors import Invalid

Status = ImportJob.Status
SHOWN = 20  # refusals on the page; all of them are in the download
LABELS = {
    "analyzing": "info", "ready to run": "warning", "running": "info", "done": "success", "failed": "danger",
    "undone": "default",
}  # fmt: skip


def is_open(job: ImportJob) -> bool:
    """Nothing is written yet, and the columns are known: everything can still be chosen."""
    return job.status in (Status.READY, Status.FAILED) and bool(job.header) and not jobs.begun(job)


def may_undo(job: ImportJob) -> bool:
    return job.status in (Status.DONE, Status.FAILED) and jobs.begun(job)


@admin.register(ImportJob)
class ImportJobAdmin(WorkspaceAdmin):
    can_change = can_delete = False
    list_display = ("file_name", "kind", "shown_status", "shown_result", "created_by_name", "created_at")
    ordering = ("-id",)
    buttons = (
        Button("check", "Check again", when=is_open),
        Button("run", "Import", when=is_open),
        Button("undo", "Take the import back", "undo", may_undo),
        Button("go_on", "Go on", "play_arrow", lambda job: job.status == Status.FAILED and jobs.begun(job)),
    )

    @display(description="status", label=LABELS)
    def shown_status(self, job: ImportJob) -> str:
        return job.get_status_display()

    @display(description="result")
    def shown_result(self, job: ImportJob) -> str:
        if not job.total:
            return "–"
        counts = (
            (job.created, "new"),
            (job.updated, "updated"),
            (job.unchanged, "unchanged"),
            (job.rejected, "rejected"),
        )
        return ", ".join(f"{count:,} {word}" for count, word in counts if count) or f"{job.total:,} lines"

    def get_urls(self):
        def at(page: str, view: Any):
            name = f"{self.opts.app_label}_{self.opts.model_name}_{page}"
            return path(f"<path:object_id>/{page}/", self.admin_site.admin_view(view), name=name)

        return [at("progress", self.progress), at("rejects", self.rejects), *super().get_urls()]

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                job = jobs.start_import(
                    account_of(request), by=request.user, file=form.cleaned_data["file"],
                    kind=form.cleaned_data["kind"], dry_run=True,
                )  # fmt: skip
                return redirect(self.address("change", job.pk))
            except Invalid as error:
                form.add_error(error.field if error.field in form.fields else None, str(error))
        return self.page(request, "backoffice/import_upload.html", "Import a file", form=form)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        return self.show(request, self.row_or_404(request, object_id))

    def show(self, request: HttpRequest, job: ImportJob, form: MappingForm | None = None) -> HttpResponse:
        if form is None and is_open(job):
            form = MappingForm(job)
        return self.page(
            request, "backoffice/import.html", job.file_name, form=form, **self.facts(request, job)
        )

    def facts(self, request: HttpRequest, job: ImportJob) -> dict[str, Any]:
        refused = ImportRow.objects.filter(job=job, outcome=ImportRow.Outcome.REJECTED).order_by("id")[:SHOWN]
        return {
            "job": job,
            "original": job,
            "refused": list(refused) if job.rejected else [],
            "percent": round(100 * job.progress),
            "busy": job.status in (Status.ANALYZING, Status.RUNNING),
            "press": {button.name: self.address("press", job.pk, button.name) for button in self.buttons},
            "may": {button.name for button in self.buttons_for(request, job)},
            "progress_url": self.address("progress", job.pk),
            "rejects_url": self.address("rejects", job.pk),
            "would": job.status == Status.READY,
        }

    def progress(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The moving part of the page; the whole page comes anew when there is something to decide."""
        job = self.row_or_404(request, object_id)
        facts = self.facts(request, job)
        response = TemplateResponse(request, "backoffice/import_progress.html", facts)
        if not facts["busy"]:
            response["HX-Refresh"] = "true"
        return response

    def rejects(self, request: HttpRequest, object_id: str) -> StreamingHttpResponse:
        job = self.row_or_404(request, object_id)
        return StreamingHttpResponse(
            jobs.rejects(job),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="rejects-{job.pk}.csv"'},
        )

    def press_check(self, request, job):
        return self.with_choices(request, job, jobs.check_import)

    def press_run(self, request, job):
        return self.with_choices(request, job, jobs.run_import)

    def with_choices(self, request: HttpRequest, job: ImportJob, verb: Any) -> HttpResponse | None:
        form = MappingForm(job, request.POST)
        if form.is_valid():
            try:
                verb(job, by=request.user, **form.chosen())
            except Invalid as error:
                job.refresh_from_db()
                form.add_error(error.field if error.field in form.fields else None, str(error))
        return self.show(request, job, form) if form.errors else None

    def press_go_on(self, request, job) -> None:
        jobs.run_import(job, by=request.user)

    def press_undo(self, request, job) -> None:
        jobs.undo_import(job, by=request.user)
        self.message_user(request, "The import is being taken back.", messages.INFO)
