from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "pipelime.api"
    label = "api"
