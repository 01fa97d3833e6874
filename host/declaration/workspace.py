"""The linker's bench: what has been declared so far, by qualified name, and how a name is found on it.

Every step of the linker (`fields`, `relations`, `wires` …) takes the workspace, notes problems on it and replaces nodes
by completed ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from host.declaration.nodes import (
    Declarations,
    Endpoint,
    Job,
    Manifest,
    Name,
    Resource,
    Rule,
    Schedule,
    Subscriber,
    TypeNode,
    Wire,
)
from host.declaration.problems import Place, Problems, did_you_mean
from host.declaration.vocabulary import Vocabulary

HOST = "host"
SITE = "site"
ACCOUNT = "host.account"

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class PluginSource:
    """A plugin as it was read: not yet linked, and not yet imported."""

    name: str
    manifest: Manifest
    declarations: Declarations
    package: str | None = None
    folder: Path | None = None


class Workspace:
    """Everything declared, on its way from read to linked; lives for one `link`."""

    def __init__(self, plugins: Sequence[PluginSource], vocabulary: Vocabulary, problems: Problems) -> None:
        self.plugins = {plugin.name: plugin for plugin in plugins}
        self.vocabulary = vocabulary
        self.problems = problems
        self.resources: dict[str, Resource] = _collected(plugins, lambda it: it.resources)
        self.types: dict[str, TypeNode] = _collected(plugins, lambda it: it.types)
        self.rules: dict[str, Rule] = _collected(plugins, lambda it: it.rules)
        self.endpoints: dict[str, Endpoint] = _collected(plugins, lambda it: it.endpoints)
        self.wires: dict[str, Wire] = _collected(plugins, lambda it: it.wires)
        self.jobs: dict[str, Job] = _collected(plugins, lambda it: it.jobs)
        self.schedules: dict[str, Schedule] = _collected(plugins, lambda it: it.schedules)
        self.subscribers: dict[str, tuple[Subscriber, ...]] = {}  # by event, when they are linked
        self.settings: Mapping[str, Mapping[str, Any]] = {}  # the values, by plugin

    def visible(self, plugin: str) -> frozenset[str]:
        """The plugins whose names this one may use."""
        if plugin == SITE:
            return frozenset(self.plugins)
        source = self.plugins.get(plugin)
        depends = source.manifest.depends if source else ()
        return frozenset((plugin, HOST, *(requirement_name(it) for it in depends)))

    def find_resource(self, reference: str, plugin: str, place: Place, path: str) -> str | None:
        """The qualified name of a resource; None, with a problem noted, when there is none."""
        if reference == "account" and f"{plugin}.account" not in self.resources:
            reference = ACCOUNT
        name = reference if "." in reference else f"{plugin}.{reference}"
        if name not in self.resources:
            known = self.names(self.resources, plugin)
            message = f'unknown resource "{reference}"{did_you_mean(reference, known)}'
            self.problems.add("unknown_resource", place, path, message)
            return None
        return name if self.is_visible(name, plugin, place, path) else None

    def is_visible(self, name: str, plugin: str, place: Place, path: str) -> bool:
        """Whether a plugin may use a qualified name; notes the problem if not."""
        owner = owner_of(name)
        if owner in self.visible(plugin):
            return True
        message = f'"{name}" belongs to a plugin that {plugin} does not name in `depends`'
        self.problems.add("not_depended", place, path, message)
        return False

    def names(self, mapping: Mapping[str, object], plugin: str) -> list[str]:
        """What a plugin can write to mean an entry of `mapping`: short names of its own, qualified ones of others."""
        visible = self.visible(plugin)
        return [_spelled(name, plugin) for name in mapping if owner_of(name) in visible]


def owner_of(name: str) -> str:
    """The plugin of a qualified name."""
    return name.partition(".")[0]


def short(name: str) -> str:
    """A qualified name without its plugin, as problems show it."""
    return name.partition(".")[2]


def requirement_name(requirement: str) -> str:
    """The plugin's name in an entry of `depends` (`ledger>=1.2`)."""
    end = next((at for at, letter in enumerate(requirement) if not (letter.isalnum() or letter == "_")), None)
    return requirement[:end]


def _spelled(name: str, plugin: str) -> str:
    owner, _, bare = name.partition(".")
    return bare if owner == plugin or name == ACCOUNT else name


def _collected(
    plugins: Iterable[PluginSource], part: Callable[[Declarations], Mapping[Name, T]]
) -> dict[str, T]:
    return {f"{it.name}.{name}": node for it in plugins for name, node in part(it.declarations).items()}
