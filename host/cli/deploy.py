"""What `hostwright check --deploy` looks at: what of a server stands open, as its settings and declarations are.

Nothing is connected to. `open` means that somebody has to decide about it: the exit code says so; a note is for information.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from host.application import App, assemble
from host.errors import ConfigurationError
from host.settings import PREFIX, Settings, read_settings
from host.web.operations import Operation
from host.web.protection import rate_limits, wants_https

READING = ("GET", "HEAD")
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that stands open, or is worth knowing."""

    level: Literal["open", "note"]
    about: str
    message: str

    def __str__(self) -> str:
        return f"{self.level}  {self.about}: {self.message}"


def deployed(root: Path, environ: Mapping[str, str]) -> list[Finding]:
    """Everything that was found. Settings that nothing could be served with are the only finding."""
    try:
        settings = read_settings(root, environ)
        app = assemble(settings)
    except ConfigurationError as error:
        return [Finding("open", "settings", error.detail)]
    try:
        return [*_transport(settings), *_others(settings), *_rates(app), *_accounts(settings), *_access(app),
                *_database(settings), *_files(settings)]  # fmt: skip
    finally:
        app.runtime.database.dispose()


def _transport(settings: Settings) -> Iterator[Finding]:
    if not wants_https(settings):
        yield Finding("open", "HTTPS", f"{PREFIX}HTTPS is off: passwords and tokens pass in the clear")
    elif not settings.proxy.trusted:
        yield Finding(
            "open", "proxy", f"the servers speak plain HTTP and no proxy is declared in {PREFIX}PROXIES: whoever asks"
            " from another machine is refused",
        )  # fmt: skip
    if wants_https(settings) and not settings.protection.hsts_seconds:
        yield Finding(
            "open", "HSTS", f"{PREFIX}HSTS_SECONDS is off: the first request of a browser may be plain"
        )
    for network in settings.proxy.trusted:
        if network.prefixlen == 0:
            yield Finding(
                "open", "proxy", f"{network} in {PREFIX}PROXIES believes everybody about who they are"
            )
    if not settings.hosts:
        yield Finding(
            "open", "names", f"set {PREFIX}PUBLIC_URL: every `Host` header is served, whoever made it up"
        )


def _others(settings: Settings) -> Iterator[Finding]:
    chosen = settings.protection
    if "*" in chosen.origins:
        yield Finding("open", "origins", f"{PREFIX}CORS_ORIGINS is *: pages of every origin may read answers")
    plain = [it for it in chosen.origins if it.startswith("http://")]
    if plain:
        yield Finding(
            "open", "origins", f"pages that came over plain HTTP may call the API: {', '.join(plain)}"
        )


def _rates(app: App) -> Iterator[Finding]:
    limits = rate_limits(app.settings, app.limiter)
    if limits.address is None:
        yield Finding("open", "rates", f"set {PREFIX}ADDRESS_RATE: an address may ask as often as it likes")
    if not limits.is_on and any(it.limits for it in app.operations):
        yield Finding("open", "rates", f"{PREFIX}LIMITS is off: limits that are declared do not count")
    if not app.settings.redis.url:
        yield Finding("note", "rates", f"without {PREFIX}REDIS_URL each process counts by itself")


def _accounts(settings: Settings) -> Iterator[Finding]:
    if settings.identity.sign_up:
        yield Finding("open", "sign-up", f"{PREFIX}SIGN_UP is on: anybody makes an account")
    if not settings.mail.host:
        yield Finding("note", "mail", f"without {PREFIX}MAIL_HOST nobody can be sent a new password")


def _access(app: App) -> Iterator[Finding]:
    """What strangers may change. Reading that is public is meant to be."""
    found = [it for it in app.operations if it.method not in READING and _is_open(it)]
    if found:
        named = [f"{it.method} {it.path}" for it in found[:MOST_NAMED]]
        more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        yield Finding("open", "access", f"without signing in anybody may call {', '.join(named)}{more}")


def _is_open(operation: Operation) -> bool:
    return operation.plugin != "host" and operation.kind != "identity" and operation.is_public


def _database(settings: Settings) -> Iterator[Finding]:
    url = urlsplit(settings.database_url)
    if url.scheme.startswith("sqlite"):
        yield Finding("note", "database", "SQLite is for one machine: a copy of the file is the backup")
        return
    is_remote = bool(url.hostname) and url.hostname not in ("localhost", "127.0.0.1", "::1")
    if is_remote and not any(mode in url.query for mode in ("sslmode=require", "sslmode=verify")):
        yield Finding(
            "open",
            "database",
            "the way to PostgreSQL may be in the clear: add sslmode=verify-full to its URL",
        )


def _files(settings: Settings) -> Iterator[Finding]:
    for path in (settings.var, settings.root / ".env", settings.var / "secret", _sqlite(settings)):
        if path is not None and path.exists() and path.stat().st_mode & 0o007:
            yield Finding(
                "open", "files", f"others on this machine may enter or read {path}: run `chmod o= {path}`"
            )
    if os.geteuid() == 0:
        yield Finding("open", "user", "this is root: serve as a user of its own")


def _sqlite(settings: Settings) -> Path | None:
    url = urlsplit(settings.database_url)
    return Path(url.path[1:]) if url.scheme.startswith("sqlite") else None
