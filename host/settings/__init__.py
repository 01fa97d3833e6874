"""The settings of one app: the only reader of the environment. One frozen group for each concern."""

from host.settings.audit import AuditSettings
from host.settings.events import EventSettings
from host.settings.idempotency import IdempotencySettings
from host.settings.identity import IdentitySettings
from host.settings.jobs import JobSettings
from host.settings.logs import LogSettings
from host.settings.mail import MailSettings, RecoverySettings
from host.settings.metrics import MetricsSettings
from host.settings.oidc import OidcProvider, OidcSettings
from host.settings.reading import PREFIX
from host.settings.sign_in import SignInSettings
from host.settings.site import Settings, embedded_secret, read_settings, variables
from host.settings.storage import StorageSettings

__all__ = [
    "PREFIX",
    "AuditSettings",
    "EventSettings",
    "IdempotencySettings",
    "IdentitySettings",
    "JobSettings",
    "LogSettings",
    "MailSettings",
    "MetricsSettings",
    "OidcProvider",
    "OidcSettings",
    "RecoverySettings",
    "Settings",
    "SignInSettings",
    "StorageSettings",
    "embedded_secret",
    "read_settings",
    "variables",
]
