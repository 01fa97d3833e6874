"""The last step: functions that YAML names are looked up in the plugins' code and checked. Only this imports plugins."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from host.declaration.nodes import Declaration, Plugin
from host.declaration.problems import Place, Problems, did_you_mean
from host.declaration.workspace import owner_of, short
from host.errors import DeclarationError

Function = Callable[..., Any]
# What a reference is: its plugin, the text, the parameters that it is called with, its place and path in problems.
_Reference = tuple[str, str, tuple[str, ...], Place, str]


def resolve_calls(
    declaration: Declaration, import_function: Callable[[Plugin, str], Function]
) -> Mapping[str, Function]:
    """Every function that a linked declaration names, by `plugin:module.function`.

    Raises `DeclarationError` with all that are missing, cannot be imported, or take other parameters.
    """
    problems = Problems()
    plugins = {plugin.name: plugin for plugin in declaration.plugins}
    found: dict[str, Function] = {}
    for owner, text, parameters, place, path in _references(declaration):
        function = _imported(plugins[owner], text, import_function, problems, place, path)
        if function is not None:
            found[f"{owner}:{text}"] = function
            _check_parameters(function, text, parameters, problems, place, path)
    if problems:
        raise DeclarationError(problems.sorted())
    return found


class CallsLater(Mapping[str, Function]):
    """The same functions unchecked, each imported when it is first asked for: commands need few of them, or none."""

    def __init__(self, declaration: Declaration, import_function: Callable[[Plugin, str], Function]) -> None:
        self._plugins = {plugin.name: plugin for plugin in declaration.plugins}
        self._import = import_function
        self._found: dict[str, Function] = {}

    def __getitem__(self, key: str) -> Function:
        owner, _, text = key.partition(":")
        if key not in self._found:
            self._found[key] = self._import(self._plugins[owner], text)
        return self._found[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def _references(declaration: Declaration) -> Iterator[_Reference]:
    for name, resource in declaration.resources.items():
        owner, bare = owner_of(name), short(name)
        if resource.prepare:
            yield owner, resource.prepare, ("ctx", "change"), resource.place.of("prepare"), f"{bare}.prepare"
        if resource.logged and resource.logged.notes:
            place = resource.logged.place.of("notes")
            yield owner, resource.logged.notes, ("ctx", "row"), place, f"{bare}.logged.notes"
        for key, action in resource.actions.items():
            parameters = ("ctx", "row", "data") if action.target == "item" else ("ctx", "data")
            yield owner, action.call, parameters, action.place.of("call"), f"{bare}.actions.{key}.call"
    for name, endpoint in declaration.endpoints.items():
        if endpoint.call:
            path = f"endpoints.{short(name)}.call"
            yield owner_of(name), endpoint.call, ("ctx", "data"), endpoint.place.of("call"), path
    yield from _background(declaration)


def _background(declaration: Declaration) -> Iterator[_Reference]:
    for name, job in declaration.jobs.items():
        parameters = ("ctx", "data") if job.input is not None else ("ctx",)
        yield owner_of(name), job.call, parameters, job.place.of("call"), f"jobs.{short(name)}.call"
    for event, subscribers in declaration.subscribers.items():
        for it in subscribers:
            if it.call:
                yield it.plugin, it.call, ("ctx", "event"), it.place.of("call"), f"subscribers.{event}.call"


def _imported(
    plugin: Plugin,
    text: str,
    import_function: Callable[[Plugin, str], Function],
    problems: Problems,
    place: Place,
    path: str,
) -> Function | None:
    if plugin.package is None:
        problems.add("call_missing", place, path, f'"{text}" cannot be called: {plugin.name} has no code')
        return None
    try:
        function: object = import_function(plugin, text)
    except Exception as error:  # whatever the plugin's module raises while it is imported
        problems.add("call_missing", place, path, _missing(text, error))
        return None
    if not callable(function):  # YAML can name anything that the module has
        problems.add("call_missing", place, path, f'"{text}" is not a function')
        return None
    return function


def _missing(text: str, error: Exception) -> str:
    module, _, name = text.rpartition(".")
    if not isinstance(error, AttributeError) or error.name != name:
        return f'"{text}" cannot be imported: {type(error).__name__}: {error}'
    known = [it for it in dir(error.obj) if not it.startswith("_")]
    return f'there is no function "{name}" in {module}{did_you_mean(name, known)}'


def _check_parameters(
    function: Function, text: str, parameters: tuple[str, ...], problems: Problems, place: Place, path: str
) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some built-in functions tell nothing of themselves
        return
    try:
        signature.bind(*parameters)
    except TypeError:
        message = f'"{text}" is called with ({", ".join(parameters)}), but is written {text.rpartition(".")[2]}{signature}'
        problems.add("call_parameters", place, path, message)
