"""Importing the code of a plugin, when it is first needed: folders as `host_plugins.<name>`, wheels by their own name."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from host.declaration.nodes import Plugin

NAMESPACE: Final = "host_plugins"


def import_function(plugin: Plugin, reference: str) -> Callable[..., Any]:
    """The function that YAML names as `module.function`. Raises what the import raises, or AttributeError."""
    module, _, name = reference.rpartition(".")
    function: Callable[..., Any] = getattr(import_module(plugin.package or "", plugin.folder, module), name)
    return function


def import_module(package: str, folder: Path | None, name: str) -> ModuleType:
    """A module of a plugin's package."""
    if package.startswith(f"{NAMESPACE}.") and folder is not None:
        _import_folder(package, folder)
    return importlib.import_module(f"{package}.{name}")


def has_module(folder: Path | None, name: str) -> bool:
    """Whether a plugin has a module, without importing anything."""
    return folder is not None and (
        (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file()
    )


def _import_folder(package: str, folder: Path) -> None:
    """Make a folder importable under `package`; another folder of that name, of another site, gives way."""
    present = sys.modules.get(package)
    if present is not None and list(present.__path__) == [str(folder)]:
        return
    for name in [it for it in sys.modules if it == package or it.startswith(f"{package}.")]:
        del sys.modules[name]
    importlib.invalidate_caches()  # the folder may have been written a moment ago
    _add_namespace()
    spec = _spec(package, folder)
    module = importlib.util.module_from_spec(spec)
    sys.modules[package] = module
    if spec.loader is not None:
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[package]
            raise


def _add_namespace() -> None:
    if NAMESPACE not in sys.modules:
        namespace = ModuleType(NAMESPACE, "The plugins that lie in folders.")
        namespace.__path__ = []
        sys.modules[NAMESPACE] = namespace


def _spec(package: str, folder: Path) -> ModuleSpec:
    init = folder / "__init__.py"
    if init.is_file():
        found = importlib.util.spec_from_file_location(
            package, init, submodule_search_locations=[str(folder)]
        )
        assert found is not None  # a file that ends in .py always has a loader
        return found
    spec = ModuleSpec(package, None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    return spec
