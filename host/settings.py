"""The settings of one app: the only reader of the environment.

Every variable begins with `HOSTWRIGHT_`; plugins' settings are `HOSTWRIGHT_<PLUGIN>__<KEY>` and are read by the linker out of
`environ`. A server refuses to start without a secret; the embedded run keeps one under `var/`.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from host.errors import ConfigurationError

SHORTEST_SECRET = 32
PREFIX = "HOSTWRIGHT_"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the operator decides. Sizes in bytes, times in seconds."""

    root: Path
    secret: str = field(repr=False)
    database_url: str
    synchronous: Literal["FULL", "NORMAL"] = "FULL"
    sign_up: bool = True
    token_seconds: int = 7 * 24 * 3600
    body_limit: int = 1 << 20
    import_limit: int = 1 << 30
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def var(self) -> Path:
        """Where the app keeps what it writes."""
        return self.root / "var"


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
    secret = given.get(f"{PREFIX}SECRET") or (embedded_secret(root / "var" / "secret") if is_embedded else "")
    if len(secret) < SHORTEST_SECRET:
        raise ConfigurationError(
            f"set {PREFIX}SECRET to at least {SHORTEST_SECRET} random characters, e.g. the output of `openssl rand -hex 32`"
        )
    return Settings(
        root=root,
        secret=secret,
        database_url=given.get(f"{PREFIX}DATABASE_URL") or f"sqlite:///{root / 'var' / 'hostwright.db'}",
        synchronous=_choice(given, "SQLITE_SYNCHRONOUS", "FULL", "NORMAL"),  # type: ignore[arg-type]  # one of the two
        sign_up=_choice(given, "SIGN_UP", "on", "off") == "on",
        token_seconds=_number(given, "TOKEN_SECONDS", 7 * 24 * 3600),
        body_limit=_number(given, "BODY_LIMIT", 1 << 20),
        import_limit=_number(given, "IMPORT_LIMIT", 1 << 30),
        environ=given,
    )


def _choice(given: Mapping[str, str], name: str, default: str, other: str) -> str:
    value = given.get(PREFIX + name, default)
    if value not in (default, other):
        raise ConfigurationError(f"{PREFIX}{name} is {value!r}; it has to be {default} or {other}")
    return value


def _number(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(PREFIX + name, str(default))
    if not text.isdecimal() or not 0 < int(text) < 2**31:
        raise ConfigurationError(f"{PREFIX}{name} is {text!r}; it has to be a whole number above 0")
    return int(text)


def embedded_secret(path: Path) -> str:
    """The secret of an embedded run: made once, readable by its user alone."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    return path.read_text().strip()
