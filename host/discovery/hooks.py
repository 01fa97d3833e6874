"""The hooks of an app: one plugin manager with the `hooks.py` of every enabled plugin that has one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import pluggy

from host import hookspecs
from host.declaration.problems import Place, Problem
from host.discovery.importing import has_module, import_module
from host.errors import DeclarationError

MODULE = "hooks"


class HasCode(Protocol):
    """A location, before linking, or a linked plugin."""

    @property
    def name(self) -> str: ...
    @property
    def package(self) -> str | None: ...
    @property
    def folder(self) -> Path | None: ...


def make_hooks(plugins: Iterable[HasCode]) -> pluggy.PluginManager:
    """Register the hooks of plugins in the given order; later ones are asked first.

    Raises `DeclarationError` when a `hooks.py` cannot be imported or implements a hook that does not exist.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    problems = [it for plugin in plugins if (it := _register(manager, plugin))]
    if problems:
        raise DeclarationError(problems)
    return manager


def _register(manager: pluggy.PluginManager, plugin: HasCode) -> Problem | None:
    if plugin.package is None or plugin.folder is None or not has_module(plugin.folder, MODULE):
        return None
    try:
        manager.register(import_module(plugin.package, plugin.folder, MODULE), name=plugin.name)
        manager.check_pending()
    except Exception as error:  # the plugin's code can raise anything while it is imported
        place = Place("/".join((*plugin.folder.parts[-2:], f"{MODULE}.py")), 1, 1)
        return Problem(
            place, plugin.name, "plugin_broken", f"its hooks cannot be used: {type(error).__name__}: {error}"
        )
    return None
