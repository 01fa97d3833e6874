"""Files to unlinked nodes: a site's `resources.yaml`, and a plugin's `plugin.yaml` with its `resources.yaml` or `resources/`.

`discovery` finds the files, this module reads them, `linker` links what it answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from host.declaration.binder import bind
from host.declaration.nodes import Declarations, Extend, Extension, Manifest, Name, Site
from host.declaration.order import check_manifest
from host.declaration.problems import Place, Problem, Problems
from host.declaration.source import read
from host.declaration.workspace import HOST, PluginSource

# A file's name in messages, and what it holds.
File = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class PluginFiles:
    """A plugin as it was found. `package` imports its code; `name` is what it has to call itself."""

    name: str
    package: str | None
    manifest: File
    files: tuple[File, ...] = ()
    folder: Path | None = None


_SECTIONS = ("rules", "types", "resources", "endpoints", "wires", "subscribers", "jobs", "schedules")


def read_site(data: bytes, file: str, problems: Problems) -> Site | None:
    """The root `resources.yaml`."""
    source = read(data, file, problems)
    return bind(Site, source, problems) if source else None


def read_plugin(found: PluginFiles, problems: Problems) -> PluginSource:
    """A plugin from its manifest and its files of declarations."""
    source = read(found.manifest[1], found.manifest[0], problems)
    bound = bind(Manifest, source, problems) if source else None
    if bound is None:  # the problem is noted; whoever depends on it is not told that it is missing
        bound = Manifest(name=Name(found.name), version="")
    check_manifest(bound, found.name, problems)
    declarations = read_declarations(found.files, problems)
    return PluginSource(
        name=found.name, manifest=bound, declarations=declarations, package=found.package, folder=found.folder
    )


def host_plugin(files: Sequence[File], version: str, problems: Problems) -> PluginSource:
    """The host's own declarations, which need no manifest."""
    manifest = Manifest(name=Name(HOST), version=version)
    declarations, found = _host_declarations(tuple(files))
    problems.extend(found)
    return PluginSource(name=HOST, manifest=manifest, declarations=declarations, package="host")


@lru_cache(maxsize=1)  # the same bytes are the same nodes, which nobody changes: a process reads them once
def _host_declarations(files: tuple[File, ...]) -> tuple[Declarations, Sequence[Problem]]:
    problems = Problems()
    return read_declarations(files, problems), tuple(problems.sorted())


def read_declarations(files: Sequence[File], problems: Problems) -> Declarations:
    """All files of one plugin as one; a name in two of them is a problem."""
    whole = Declarations(grammar=1)
    for file, data in files:
        source = read(data, file, problems)
        part = bind(Declarations, source, problems) if source else None
        if part is not None:
            whole = _joined(whole, part, problems)
    return whole


def _joined(whole: Declarations, part: Declarations, problems: Problems) -> Declarations:
    merged: dict[str, Mapping[Name, object]] = {}
    for section in _SECTIONS:
        before, added = getattr(whole, section), getattr(part, section)
        for name in added.keys() & before.keys():
            place = part.place.of(section).name(name)
            path = name if section == "resources" else f"{section}.{name}"
            where = (
                whole.place.of(section, name).file if section == "subscribers" else before[name].place.file
            )
            problems.add("duplicate_name", place, path, f'"{name}" is declared in {where} already')
        merged[section] = {**before, **{name: it for name, it in added.items() if name not in before}}
    place = whole.place if whole.place != Place() else part.place
    extend = _joined_extensions(whole.extend, part.extend, problems)
    return replace(whole, **merged, extend=extend, place=place)  # type: ignore[arg-type]


def _joined_extensions(whole: Extend, part: Extend, problems: Problems) -> Extend:
    before, added = whole.account.fields, part.account.fields
    for name in added.keys() & before.keys():
        message = f'"{name}" is declared in {before[name].place.file} already'
        problems.add("duplicate_name", added[name].place, f"extend.account.fields.{name}", message)
    return replace(whole, account=Extension(fields={**added, **before}))
