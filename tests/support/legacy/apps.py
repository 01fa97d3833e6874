"""The one app of the project; its label is the prefix of its tables."""

from django.apps import AppConfig


class Legacy(AppConfig):
    """The app."""

    name = "legacy"
    label = "investigation"
    default_auto_field = "django.db.models.BigAutoField"
