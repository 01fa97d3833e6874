"""Discovery: where plugins lie, which of them the site enables, and how their code is imported."""

from host.discovery.importing import has_module, import_function, import_module
from host.discovery.loading import Discovery, Found, discover, link_found, load
from host.discovery.locations import ENTRY_POINTS, Location

__all__ = [
    "ENTRY_POINTS", "Discovery", "Found", "Location", "discover", "has_module", "import_function", "import_module",
    "link_found", "load",
]  # fmt: skip
