from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "pipelime.search"
    label = "search"
