"""Functions of plugins as they are written, without importing them: what `hostwright check` looks at.

Checking then costs no import and runs nobody's code. What is not a plain function of its module is imported after all.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FunctionType
from typing import Any

from host.declaration.nodes import Plugin
from host.discovery.importing import import_function


class Outlines:
    """The functions of the modules that have been looked at; lives for one check."""

    def __init__(self) -> None:
        self._modules: dict[Path, Mapping[str, ast.FunctionDef]] = {}

    def function(self, plugin: Plugin, reference: str) -> Callable[..., Any]:
        """A function with the parameters of the one that YAML names. Raises what importing it would raise."""
        module, _, name = reference.rpartition(".")
        path = _file(_folder(plugin), module)
        if path is not None and path not in self._modules:
            self._modules[path] = _functions(path)
        node = self._modules[path].get(name) if path is not None else None
        return _outline(node) if node is not None else import_function(plugin, reference)


def _folder(plugin: Plugin) -> Path | None:
    """Where its code lies; that of the host is imported already, but not all its modules."""
    if plugin.folder is not None:
        return plugin.folder
    package = sys.modules.get(plugin.package or "")
    return Path(package.__path__[0]) if package is not None else None


def _file(folder: Path | None, module: str) -> Path | None:
    if folder is None:
        return None
    base = folder.joinpath(*module.split("."))
    return next((it for it in (base.with_suffix(".py"), base / "__init__.py") if it.is_file()), None)


def _functions(path: Path) -> Mapping[str, ast.FunctionDef]:
    tree = ast.parse(path.read_bytes(), str(path))
    return {it.name: it for it in tree.body if isinstance(it, ast.FunctionDef) and not it.decorator_list}


def _outline(node: ast.FunctionDef) -> Callable[..., Any]:
    given = node.args
    for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
        if argument is not None:
            argument.annotation = None
    given.defaults = [ast.Constant(None) for _ in given.defaults]
    given.kw_defaults = [it and ast.Constant(None) for it in given.kw_defaults]
    node.body, node.returns = [ast.Pass()], None
    module = ast.fix_missing_locations(ast.Module(body=[node], type_ignores=[]))
    names: dict[str, Any] = {}
    exec(compile(module, node.name, "exec"), names)  # a definition that does nothing
    function: FunctionType = names[node.name]
    return function
