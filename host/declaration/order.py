"""Which plugins run, and in which order: every one after those it depends on. The linker's first step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from host.declaration.nodes import Manifest, Plugin, Site
from host.declaration.problems import Place, Problems, did_you_mean
from host.declaration.requirements import parse_requirement
from host.declaration.workspace import HOST, SITE, PluginSource, requirement_name


def enabled(site: Site | None, found: Sequence[PluginSource], problems: Problems) -> list[PluginSource]:
    """The plugins that the site names, and the host itself; without a site all that were found."""
    by_name = {plugin.name: plugin for plugin in found}
    if site is None:
        return list(found)
    chosen = [by_name[HOST]] if HOST in by_name else []
    for at, name in enumerate(site.site.plugins):
        place, path = site.site.place.of("plugins", at), f"site.plugins[{at}]"
        if name in (HOST, SITE):
            problems.add("plugin_name", place, path, f'"{name}" is not a plugin that can be enabled')
        elif name not in by_name:
            if problems.has(place):  # discovery knows more of why it is not there
                continue
            message = f'there is no plugin "{name}"{did_you_mean(name, by_name)}'
            problems.add("unknown_plugin", place, path, message)
        elif by_name[name] in chosen:
            problems.add("plugin_duplicate", place, path, f'"{name}" stands here twice')
        else:
            chosen.append(by_name[name])
    return chosen


def ordered(plugins: Sequence[PluginSource], host_version: str, problems: Problems) -> list[PluginSource]:
    """Plugins after what they depend on, otherwise in the given order; what is missing or circular is noted."""
    by_name = {plugin.name: plugin for plugin in plugins}
    done: dict[str, PluginSource] = {}
    for plugin in plugins:
        place = plugin.manifest.place
        if plugin.manifest.host and host_version:
            _check_version(
                plugin, f"host{plugin.manifest.host}", host_version, place.of("host"), "host", problems
            )
        _visit(plugin, by_name, done, (), problems)
    return list(done.values())


def needed_by(name: str, plugins: Mapping[str, PluginSource] | Mapping[str, Plugin]) -> frozenset[str]:
    """The plugins that one cannot do without, directly or not."""
    needed: set[str] = set()
    waiting = [name]
    while waiting:
        plugin = plugins.get(waiting.pop())
        further = {requirement_name(it) for it in plugin.manifest.depends} - needed if plugin else set()
        needed |= further
        waiting += further
    return frozenset(needed)


def _visit(
    plugin: PluginSource,
    by_name: Mapping[str, PluginSource],
    done: dict[str, PluginSource],
    inside: tuple[str, ...],
    problems: Problems,
) -> None:
    if plugin.name in done:
        return
    inside = (*inside, plugin.name)
    for at, requirement in enumerate(plugin.manifest.depends):
        place, path = plugin.manifest.place.of("depends", at), f"depends[{at}]"
        needed = requirement_name(requirement)
        if needed in inside:
            cycle = " → ".join((*inside[inside.index(needed) :], needed))
            problems.add("plugin_cycle", place, path, f"plugins depend on each other: {cycle}")
        elif needed not in by_name:
            message = f'{plugin.name} needs the plugin "{needed}": enable it in `site.plugins`'
            problems.add("plugin_missing", place, path, message)
        else:
            _check_version(plugin, requirement, by_name[needed].manifest.version, place, path, problems)
            _visit(by_name[needed], by_name, done, inside, problems)
    done[plugin.name] = plugin


def _check_version(
    plugin: PluginSource, requirement: str, version: str, place: Place, path: str, problems: Problems
) -> None:
    try:
        wanted = parse_requirement(requirement)
        if wanted.clauses and not wanted.allows(version):
            message = f"{plugin.name} needs {wanted.name} {wanted.text}, this is {version}"
            problems.add("plugin_version", place, path, message)
    except ValueError as error:
        problems.add("plugin_version", place, path, str(error))


def check_manifest(manifest: Manifest, folder: str, problems: Problems) -> None:
    """A plugin's name is its folder's, and not one of the host's own."""
    if manifest.name in (HOST, SITE):
        place = manifest.place.of("name")
        problems.add("plugin_name", place, "name", f'the name "{manifest.name}" is taken by the host')
    elif manifest.name and manifest.name != folder:
        place = manifest.place.of("name")
        problems.add(
            "plugin_name", place, "name", f'the plugin "{manifest.name}" lies in a folder named "{folder}"'
        )
