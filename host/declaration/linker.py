"""The linker: what was read becomes one `Declaration` in which every name is qualified and every default filled in.

It reads as the sequence of its steps; each is a module of this package. All problems are raised together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from host.declaration.access import check_named_rules, link_access
from host.declaration.account_tables import check_account_tables, link_account_table
from host.declaration.background import link_events, link_job, link_subscribers
from host.declaration.extensions import link_extensions
from host.declaration.firsts import check_firsts
from host.declaration.logs import link_log, link_logged
from host.declaration.nodes import Declaration, Declarations, Manifest, Name, Plugin, Site, SiteInfo
from host.declaration.operations import link_actions, link_endpoint
from host.declaration.order import enabled, needed_by, ordered
from host.declaration.paths import check_paths
from host.declaration.problems import Problem, Problems
from host.declaration.queries import link_query
from host.declaration.relations import check_rollups, link_relations, link_targets
from host.declaration.resources import link_resource
from host.declaration.schedules import link_schedule
from host.declaration.settings import link_settings
from host.declaration.types import link_types
from host.declaration.vocabulary import Vocabulary
from host.declaration.wire_shapes import link_shapes
from host.declaration.wires import link_wires
from host.declaration.workspace import SITE, PluginSource, Workspace, owner_of, short
from host.errors import DeclarationError


def link(
    site: Site | None,
    plugins: Sequence[PluginSource],
    vocabulary: Vocabulary,
    *,
    environ: Mapping[str, str] | None = None,
    host_version: str = "",
    root: Path | None = None,
    problems: Sequence[Problem] = (),
) -> Declaration:
    """Link the plugins that the site enables (all, without a site). Raises `DeclarationError` with every problem.

    `problems` are those found while reading: they are raised together with the linker's own. `root` is the folder of
    the site, where the code of its own resources lies.
    """
    noted = Problems(problems)
    chosen = ordered(enabled(site, plugins, noted), host_version, noted)
    if site is not None:
        chosen.append(_site_plugin(site, root))
    workspace = Workspace(chosen, vocabulary, noted)
    settings = workspace.settings = link_settings(workspace, site, environ or {})
    _link_names(workspace)
    if noted:
        raise DeclarationError(noted.sorted())
    return _declaration(workspace, site, settings)


def _site_plugin(site: Site, folder: Path | None) -> PluginSource:
    manifest = Manifest(name=Name(SITE), version="")
    package = f"host_plugins.{SITE}" if folder else None
    return PluginSource(name=SITE, manifest=manifest, declarations=site, package=package, folder=folder)


def _link_names(workspace: Workspace) -> None:
    names = list(workspace.resources)
    _check_type_names(workspace)
    link_types(workspace)
    for name in names:
        link_resource(workspace, name)
    link_extensions(workspace)
    link_shapes(workspace)
    for step in (
        link_account_table,
        link_targets,
        link_relations,
        link_log,
        link_logged,
        check_rollups,
        check_firsts,
        link_query,
        link_access,
        link_actions,
        link_wires,
    ):
        for name in names:
            step(workspace, name)
    for name in list(workspace.endpoints):
        link_endpoint(workspace, name)
    for name in names:
        link_events(workspace, name)
    for name in list(workspace.jobs):
        link_job(workspace, name)
    for name in list(workspace.schedules):
        link_schedule(workspace, name)
    link_subscribers(workspace)
    check_named_rules(workspace)
    check_account_tables(workspace)
    _check_tables(workspace)
    needs = {name: needed_by(name, workspace.plugins) for name in workspace.plugins}
    check_paths(workspace.resources, workspace.endpoints, workspace.problems, needs)


def _check_type_names(workspace: Workspace) -> None:
    for name, node in workspace.types.items():
        bare = short(name)
        if bare in workspace.vocabulary.types or name in workspace.resources:
            what = "a resource" if name in workspace.resources else "a field type"
            message = f'"{bare}" is {what} already: name the type otherwise'
            workspace.problems.add("duplicate_name", node.place, f"types.{bare}", message)


def _check_tables(workspace: Workspace) -> None:
    owners: dict[str, str] = {}
    for name, resource in workspace.resources.items():
        tables = [(resource.table or "", resource.place.of("table"), short(name))]
        tables += [
            (it.through, it.place.of("through"), f"{short(name)}.relations.{key}")
            for key, it in resource.relations.items()
            if it.through
        ]
        for table, place, path in tables:
            if table.lower() in owners:
                message = f'the table "{table}" belongs to {owners[table.lower()]}'
                workspace.problems.add("table_claimed", place, path, message)
            owners.setdefault(table.lower(), name)
    _check_renamed_tables(workspace)


def _check_renamed_tables(workspace: Workspace) -> None:
    for name, resource in workspace.resources.items():
        former = f"{owner_of(name)}.{resource.was}" if resource.was else None
        if former in workspace.resources:
            place, path = resource.place.of("was"), f"{short(name)}.was"
            workspace.problems.add(
                "was", place, path, f'"{resource.was}" is still there: nothing was renamed'
            )


def _declaration(
    workspace: Workspace, site: Site | None, settings: Mapping[str, Mapping[str, Any]]
) -> Declaration:
    plugins = tuple(
        Plugin(
            name=name,
            manifest=source.manifest,
            declarations=_own(workspace, source.declarations, name),
            package=source.package,
            folder=source.folder,
            settings=settings.get(name, {}),
        )
        for name, source in workspace.plugins.items()
    )
    return Declaration(
        site=site.site if site else SiteInfo(name=""),
        plugins=plugins,
        rules=workspace.rules,
        types=workspace.types,
        resources=workspace.resources,
        endpoints=workspace.endpoints,
        subscribers=workspace.subscribers,
        jobs=workspace.jobs,
        schedules=workspace.schedules,
    )


def _own(workspace: Workspace, declarations: Declarations, plugin: str) -> Declarations:
    """A plugin's declarations as it wrote them, with the linked nodes in the place of the written ones."""
    return replace(
        declarations,
        rules={key: workspace.rules[f"{plugin}.{key}"] for key in declarations.rules},
        types={key: workspace.types[f"{plugin}.{key}"] for key in declarations.types},
        resources={key: workspace.resources[f"{plugin}.{key}"] for key in declarations.resources},
        endpoints={key: workspace.endpoints[f"{plugin}.{key}"] for key in declarations.endpoints},
        wires={key: workspace.wires[f"{plugin}.{key}"] for key in declarations.wires},
        jobs={key: workspace.jobs[f"{plugin}.{key}"] for key in declarations.jobs},
        schedules={key: workspace.schedules[f"{plugin}.{key}"] for key in declarations.schedules},
    )
