from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class BackofficeConfig(AppConfig):
    name = "pipelime.backoffice"
    label = "backoffice"
    verbose_name = "Workspace"
    default = True


class WorkspaceConfig(admin_apps.AdminConfig):
    """Django's admin, with our site in the place of its own."""

    default = False
    default_site = "pipelime.backoffice.site.Workspace"
