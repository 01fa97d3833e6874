"""Where plugins can lie: the site's `plugins/`, those bundled with the host, and installed wheels.

Nothing is imported and no YAML is read here; that a plugin is found does not mean that it is enabled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Final

from host.declaration.reader import File, PluginFiles

ENTRY_POINTS: Final = "hostwright.plugins"
MANIFEST: Final = "plugin.yaml"
_HOST: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Location:
    """A plugin that was found. `label` is how messages name its folder; `fault` says why it cannot be used."""

    name: str
    package: str
    folder: Path | None
    label: str
    fault: str | None = None


def locations(root: Path) -> list[Location]:
    """Every plugin that the site could enable; one name may occur more than once."""
    found = [*in_site(root), *_bundled(), *_installed()]
    return list({(it.folder and it.folder.resolve()) or it.package: it for it in reversed(found)}.values())[
        ::-1
    ]


def in_site(root: Path) -> Iterator[Location]:
    """The plugins in the site's own folder."""
    return _in_folder(root / "plugins", "plugins")


def _in_folder(folder: Path, label: str) -> Iterator[Location]:
    if folder.is_dir():
        for manifest in sorted(folder.glob(f"*/{MANIFEST}")):
            name = manifest.parent.name
            yield Location(name, f"host_plugins.{name}", manifest.parent, f"{label}/{name}")


def _bundled() -> Iterator[Location]:
    """In a wheel they lie inside the package, in a checkout beside it."""
    inside = _HOST / "_plugins"
    if inside.is_dir():
        yield from _in_folder(inside, "host/_plugins")
    elif (_HOST.parent / "pyproject.toml").is_file():
        yield from _in_folder(_HOST.parent / "plugins", "plugins")


def _installed() -> Iterator[Location]:
    for entry in entry_points(group=ENTRY_POINTS):
        yield _from_entry(entry)


def _from_entry(entry: EntryPoint) -> Location:
    """The folder of a package that an entry point names, found without importing it."""
    folder: Path | None = None
    fault: str | None = None
    path: list[str] | None = None
    try:
        for part in entry.value.split("."):
            spec = PathFinder.find_spec(part, path)
            path = list(spec.submodule_search_locations or ()) if spec else None
            if not path:
                break
        folder = next((Path(it) for it in path or () if (Path(it) / MANIFEST).is_file()), None)
    except Exception as error:  # whatever a broken installation raises concerns this plugin alone
        fault = f"{type(error).__name__}: {error}"
    if folder is None:
        fault = fault or f'the entry point names "{entry.value}", which is no package with a {MANIFEST}'
    return Location(entry.name, entry.value, folder, entry.value.replace(".", "/"), fault)


def files_of(location: Location) -> PluginFiles:
    """Read the files of a plugin that can be used."""
    folder = location.folder
    assert folder is not None  # a location without a fault has one
    manifest = (f"{location.label}/{MANIFEST}", (folder / MANIFEST).read_bytes())
    return PluginFiles(
        location.name, location.package, manifest, declarations_in(folder, location.label), folder
    )


def declarations_in(folder: Path, label: str) -> tuple[File, ...]:
    """`resources.yaml` of a folder and the files of its `resources/`."""
    files = [folder / "resources.yaml", *sorted((folder / "resources").glob("*.yaml"))]
    return tuple(
        (f"{label}/{it.relative_to(folder).as_posix()}", it.read_bytes()) for it in files if it.is_file()
    )


def own_files() -> tuple[File, ...]:
    """The host's own declarations."""
    return declarations_in(_HOST, "host")
