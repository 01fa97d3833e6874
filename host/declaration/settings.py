"""Settings of plugins: what the manifest declares, the site sets and the environment overrides."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from host.declaration import values
from host.declaration.nodes import Field, Name, Site
from host.declaration.problems import Place, did_you_mean
from host.declaration.types import link_field
from host.declaration.workspace import PluginSource, Workspace

_WORDS: Final[Mapping[str, bool]] = {"true": True, "1": True, "false": False, "0": False}


def link_settings(
    workspace: Workspace, site: Site | None, environ: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """The value of every declared setting, by plugin; `HOSTWRIGHT_<PLUGIN>__<KEY>` in the environment wins."""
    _check_plugins(workspace, site)
    found: dict[str, dict[str, Any]] = {}
    for name, plugin in workspace.plugins.items():
        linked = _linked(workspace, plugin)
        written = site.settings.get(name, {}) if site else {}
        place = site.place.of("settings", name) if site else Place()
        _check_written(workspace, linked, written, name, place)
        found[name] = {key: _value(workspace, it, name, key, written, environ) for key, it in linked.items()}
    return found


def variable(plugin: str, key: str) -> str:
    """The environment variable that overrides a setting."""
    return f"HOSTWRIGHT_{plugin.upper()}__{key.upper()}"


def _linked(ws: Workspace, plugin: PluginSource) -> dict[str, Field]:
    fields: dict[Name, Field] = {
        key: link_field(ws, field, plugin.name, f"settings.{key}", "setting")
        for key, field in plugin.manifest.settings.items()
    }
    manifest = replace(plugin.manifest, settings=fields)
    ws.plugins[plugin.name] = replace(plugin, manifest=manifest)
    return {str(key): field for key, field in fields.items()}


def _check_plugins(ws: Workspace, site: Site | None) -> None:
    for name in site.settings if site else ():
        if name not in ws.plugins and site is not None and name not in site.site.plugins:
            place = site.place.of("settings").name(name)
            message = f'there is no enabled plugin "{name}"{did_you_mean(name, ws.plugins)}'
            ws.problems.add("unknown_setting", place, "settings", message)


def _check_written(
    ws: Workspace, declared: Mapping[str, Field], written: Mapping[str, Any], plugin: str, place: Place
) -> None:
    for key, value in written.items():
        path = f"settings.{plugin}.{key}"
        field = declared.get(key)
        if field is None:
            message = f'{plugin} has no setting "{key}"{did_you_mean(key, declared)}'
            ws.problems.add("unknown_setting", place.name(key), path, message)
        elif field.secret:
            message = f"a secret does not belong in a file: set {variable(plugin, key)} in the environment"
            ws.problems.add("setting_secret", place.of(key), path, message)
        elif field.type and value is not None and (why := _fault(field, value)):
            ws.problems.add("setting_value", place.of(key), path, f"{values.shown(value)} {why}")


def _fault(field: Field, value: Any) -> str | None:
    if why := values.fault(field, value):
        return why
    measured = len(value) if isinstance(value, (str, list)) else values.compared(field, value)
    if field.min is not None and measured < field.min:
        return f"is below {field.min}"
    if field.max is not None and measured > field.max:
        return f"is above {field.max}"
    return None


def _value(
    ws: Workspace, field: Field, plugin: str, key: str, written: Mapping[str, Any], environ: Mapping[str, str]
) -> Any:
    name = variable(plugin, key)
    path = f"settings.{key}"
    if name in environ and field.type:
        value = _read(field, environ[name])
        if why := _fault(field, value):
            # The value itself may be a secret: it is not shown.
            ws.problems.add(
                "setting_value", field.place, path, f"the value of {name} in the environment {why}"
            )
        return value
    value = written.get(key, field.default)
    if value is None and field.required:
        where = (
            "in the environment"
            if field.secret
            else f"in `settings.{plugin}` of the site, or in the environment"
        )
        ws.problems.add("setting_missing", field.place, path, f"the setting has no value: set {name} {where}")
    return value


def _read(field: Field, text: str) -> Any:
    """A value from the environment, as YAML would have it; what cannot be read stays a text and is refused as one."""
    if field.type == "boolean":
        return _WORDS.get(text.strip().lower(), text)
    if field.type in ("integer", "float", "list", "object", "json"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
