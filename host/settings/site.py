"""The settings of one app, of every concern, and what the embedded run decides by itself.

Every variable begins with `HOSTWRIGHT_`; plugins' settings are `HOSTWRIGHT_<PLUGIN>__<KEY>` and are read by the linker out of
`environ`. A server refuses to start without a secret; the embedded run keeps one under `var/`.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_type_hints
from urllib.parse import urlsplit

from host.errors import ConfigurationError
from host.settings.audit import AuditSettings
from host.settings.conflicts import check_conflicts
from host.settings.database import DatabaseSettings
from host.settings.events import EventSettings
from host.settings.idempotency import IdempotencySettings
from host.settings.identity import IdentitySettings
from host.settings.jobs import JobSettings
from host.settings.logs import LogSettings
from host.settings.mail import MailSettings, RecoverySettings
from host.settings.metrics import MetricsSettings, shared_folder
from host.settings.oidc import OidcSettings, with_providers
from host.settings.protection import ProtectionSettings
from host.settings.proxy import ProxySettings, host_name
from host.settings.proxy import public_url as parse_public_url
from host.settings.reading import PREFIX, read_group, setting, variables_of
from host.settings.redis import RedisSettings
from host.settings.sign_in import SignInSettings
from host.settings.storage import StorageSettings

SHORTEST_SECRET = 32


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the operator decides. Sizes in bytes, times in seconds."""

    root: Path
    secret: str = setting("", "SECRET", secret=True)
    secret_file: str = setting("", "SECRET_FILE")
    database_url: str = setting("", "DATABASE_URL")
    synchronous: Literal["FULL", "NORMAL"] = setting("FULL", "SQLITE_SYNCHRONOUS")
    only: str = setting("", "ONLY")  # the one plugin that is served, at the root
    body_limit: int = setting(1 << 20, "BODY_LIMIT", kind="size")
    import_limit: int = setting(1 << 30, "IMPORT_LIMIT", kind="size")
    public_url: str = setting("", "PUBLIC_URL", parse=parse_public_url)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    identity: IdentitySettings = field(default_factory=IdentitySettings)
    sign_in: SignInSettings = field(default_factory=SignInSettings)
    mail: MailSettings = field(default_factory=MailSettings)
    recovery: RecoverySettings = field(default_factory=RecoverySettings)
    oidc: OidcSettings = field(default_factory=OidcSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)
    events: EventSettings = field(default_factory=EventSettings)
    idempotency: IdempotencySettings = field(default_factory=IdempotencySettings)
    protection: ProtectionSettings = field(default_factory=ProtectionSettings)
    proxy: ProxySettings = field(default_factory=ProxySettings)
    jobs: JobSettings = field(default_factory=JobSettings)
    logs: LogSettings = field(default_factory=LogSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    redis: RedisSettings = field(default_factory=RedisSettings)
    storage: StorageSettings = field(default_factory=StorageSettings)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    embedded_url: str = "http://127.0.0.1:8000"  # where an embedded run listens
    is_embedded: bool = False  # one person's own machine: what protects servers from others is off

    @property
    def hosts(self) -> frozenset[str]:
        """The names that a server answers to, out of its public URL and further ones; none means every name."""
        if self.is_embedded:
            return frozenset(self.proxy.hosts)
        own = host_name(urlsplit(self.public_url).netloc)
        return frozenset((*self.proxy.hosts, *((own,) if own else ())))

    @property
    def var(self) -> Path:
        """Where the app keeps what it writes."""
        return self.root / "var"

    def sharing(self) -> Settings:
        """The same, for a process that serves beside others: their metrics lie in one place."""
        folder = shared_folder(self.metrics, self.var)
        return replace(self, metrics=replace(self.metrics, folder=folder))


def read_settings(
    root: Path, environ: Mapping[str, str] | None = None, *, is_embedded: bool = False
) -> Settings:
    """The settings out of the environment. Raises ConfigurationError in one sentence for a missing or wrong one.

    `is_embedded` makes a folder `var/` and a secret in it (mode 600), so that nothing has to be configured.
    """
    given = dict(os.environ if environ is None else environ)
    root = root.resolve()
    if is_embedded:
        (root / "var").mkdir(mode=0o700, exist_ok=True)
    secret = _secret(root, given, is_embedded=is_embedded)
    if len(secret) < SHORTEST_SECRET:
        raise ConfigurationError(
            f"set {PREFIX}SECRET to at least {SHORTEST_SECRET} random characters, e.g. the output of `openssl rand -hex 32`"
        )
    database = given.get(f"{PREFIX}DATABASE_URL") or f"sqlite:///{root / 'var' / 'hostwright.db'}"
    groups = {name: read_group(group, given) for name, group in _groups().items()}
    groups["oidc"] = with_providers(groups["oidc"], given)
    decided = {**given, f"{PREFIX}SECRET": secret, f"{PREFIX}DATABASE_URL": database}
    settings = read_group(Settings, decided, root=root, is_embedded=is_embedded, environ=given, **groups)
    check_conflicts(settings)
    return settings


def _secret(root: Path, given: Mapping[str, str], *, is_embedded: bool) -> str:
    """Out of its variable, else out of the file that another names, else the embedded run's own."""
    said, file = given.get(f"{PREFIX}SECRET"), given.get(f"{PREFIX}SECRET_FILE")
    if said:
        return said
    if file:
        return read_secret(Path(file))
    return embedded_secret(root / "var" / "secret") if is_embedded else ""


def read_secret(path: Path) -> str:
    """A secret out of a file that nobody else may read. Raises ConfigurationError in one sentence."""
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigurationError(f"others may read the secret in {path}: run `chmod 600 {path}`")
        return path.read_text().strip()
    except OSError as error:
        raise ConfigurationError(f"the secret in {path} cannot be read: {error.strerror}") from None


def variables() -> list[str]:
    """Every variable that is read, but for plugins' own."""
    groups: list[type[Any]] = [Settings, *_groups().values()]
    return [name for group in groups for name in variables_of(group)]


def _groups() -> dict[str, type[Any]]:
    hints = get_type_hints(Settings)
    return {item.name: hints[item.name] for item in fields(Settings) if is_dataclass(hints[item.name])}


def embedded_secret(path: Path) -> str:
    """The secret of an embedded run: made once, readable by its user alone."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_secret(path)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    return path.read_text().strip()
