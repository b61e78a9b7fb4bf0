from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "pipelime.accounts"
    label = "accounts"
    verbose_name = "People and access"
