"""From a site's folder to its linked declaration. `application`, the command line and tests begin here.

A plugin that is installed but not enabled harms nobody: what is wrong with it is told in `Found.broken`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from host.declaration.linker import link
from host.declaration.nodes import Declaration, Plugin, Site
from host.declaration.problems import Place, Problem, Problems, did_you_mean
from host.declaration.reader import host_plugin, read_plugin, read_site
from host.declaration.vocabulary import Vocabulary
from host.declaration.workspace import HOST, SITE
from host.discovery.importing import import_function
from host.discovery.locations import Location, files_of, locations, own_files
from host.errors import ConfigurationError, DeclarationError

SITE_FILE: Final = "resources.yaml"


@dataclass(frozen=True)
class Found:
    """A site as it was found: what it enables, in its order, and what is installed but cannot be used."""

    root: Path
    site: Site
    enabled: tuple[Location, ...]
    installed: tuple[Location, ...]
    broken: tuple[Problem, ...]


@dataclass(frozen=True)
class Discovery:
    """A site, linked: what it declares, and the door to the code of its plugins."""

    found: Found
    declaration: Declaration
    import_function: Callable[[Plugin, str], Callable[..., Any]] = import_function


def load(root: Path, vocabulary: Vocabulary, environ: Mapping[str, str] | None = None) -> Discovery:
    """Find, read and link the site in `root`. Raises `DeclarationError` with all problems."""
    problems = Problems()
    return link_found(discover(root, problems), problems, vocabulary, environ)


def link_found(
    found: Found, problems: Problems, vocabulary: Vocabulary, environ: Mapping[str, str] | None = None
) -> Discovery:
    """Read and link what was found; between the two, plugins can register field types for the vocabulary."""
    current = host_version()
    plugins = [host_plugin(own_files(), current, problems)]
    plugins += [read_plugin(files_of(it), problems) for it in found.enabled]
    declaration = link(
        found.site, plugins, vocabulary,
        environ=environ, host_version=current, root=found.root, problems=problems.sorted(),
    )  # fmt: skip
    return Discovery(found, declaration)


def discover(root: Path, problems: Problems, installed: Sequence[Location] | None = None) -> Found:
    """Find what the site enables; raises `DeclarationError` when its own file cannot be read at all.

    `installed` takes the place of what could be enabled: for a former version of the site, in a folder of its own.
    """
    path = root / SITE_FILE
    if not path.is_file():
        raise ConfigurationError(f"there is no {SITE_FILE} in {root}: this is not the folder of a site")
    site = read_site(path.read_bytes(), SITE_FILE, problems)
    if site is None:
        raise DeclarationError(problems.sorted())
    found = list(installed) if installed is not None else locations(root)
    enabled = tuple(it for name in site.site.plugins if (it := _chosen(site, name, found, problems)))
    broken = tuple(
        Problem(Place(f"{it.label}/plugin.yaml", 1, 1), it.name, "plugin_broken", it.fault)
        for it in found
        if it.fault and it.name not in site.site.plugins
    )
    return Found(root, site, tuple(dict.fromkeys(enabled)), tuple(found), broken)


def _chosen(site: Site, name: str, found: list[Location], problems: Problems) -> Location | None:
    candidates = [it for it in found if it.name == name]
    at = site.site.plugins.index(name)
    place, path = site.site.place.of("plugins", at), f"site.plugins[{at}]"
    if not candidates and name not in (HOST, SITE):
        message = f'there is no plugin "{name}"{did_you_mean(name, {it.name for it in found})}'
        problems.add("unknown_plugin", place, path, message)
        return None
    if len(candidates) > 1:
        where = ", ".join(it.label for it in candidates)
        problems.add("plugin_duplicate", place, path, f'there are several plugins "{name}": {where}')
    usable = next((it for it in candidates if it.fault is None), None)
    if usable is None and candidates:
        problems.add(
            "plugin_broken", place, path, f'the plugin "{name}" cannot be used: {candidates[0].fault}'
        )
    return usable


def host_version() -> str:
    """The installed version of the host; empty when it runs from a bare checkout."""
    try:
        return version("hostwright")
    except PackageNotFoundError:
        return ""
