"""What the operator decides about metrics, and where the processes of a site keep theirs together."""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir

from host.settings.reading import Refused, setting

SHORTEST_TOKEN = 16


def token(text: str) -> str:
    """What a scraper shows."""
    if len(text) < SHORTEST_TOKEN or not text.isascii() or not text.isprintable() or " " in text:
        raise Refused(
            f"at least {SHORTEST_TOKEN} random characters, e.g. the output of `openssl rand -hex 32`"
        )
    return text


def address(text: str) -> tuple[str, int]:
    """Where to listen."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise Refused("an address and a port, as 0.0.0.0:9100 or [::]:9100")
    return host.strip("[]"), int(port)


@dataclass(frozen=True, kw_only=True)
class MetricsSettings:
    """Who may read them: whoever has the token; without one nobody, and of an embedded run its own machine."""

    is_on: bool = setting(True, "METRICS")
    token: str = setting("", "METRICS_TOKEN", secret=True, parse=token)
    folder: str = setting("", "METRICS_FOLDER")  # empty: a process counts for itself alone
    listen: tuple[str, int] | None = setting(
        None, "METRICS_LISTEN", parse=address
    )  # of what serves nothing else


def shared_folder(chosen: MetricsSettings, var: Path) -> str:
    """Where the processes that serve a site keep their numbers: in `var`, or where nothing can be written there, in /tmp."""
    if chosen.folder or not chosen.is_on:
        return chosen.folder
    if os.access(var if var.exists() else var.parent, os.W_OK | os.X_OK):
        return str(var / "metrics")
    site = sha256(str(var).encode()).hexdigest()[:16]
    return str(Path(gettempdir()) / f"hostwright-metrics-{os.getuid()}-{site}")
