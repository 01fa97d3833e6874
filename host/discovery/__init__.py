"""Discovery: where plugins lie, which of them the site enables, and how their code is imported."""

from host.discovery.importing import import_function, import_module
from host.discovery.loading import Discovery, Found, discover, load
from host.discovery.locations import ENTRY_POINTS, Location

__all__ = [
    "ENTRY_POINTS",
    "Discovery",
    "Found",
    "Location",
    "discover",
    "import_function",
    "import_module",
    "load",
]
