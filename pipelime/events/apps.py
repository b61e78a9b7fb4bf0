from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "pipelime.events"
    label = "events"
    verbose_name = "History"
