from django.apps import AppConfig


class BackofficeConfig(AppConfig):
    name = "pipelime.backoffice"
    label = "backoffice"
