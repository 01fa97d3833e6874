"""From files to a linked declaration: reads what the site enables and links it. `discovery` and tests call this."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from host.declaration.linker import link
from host.declaration.nodes import Declaration, Site
from host.declaration.problems import Problems
from host.declaration.reader import File, PluginFiles, host_plugin, read_plugin
from host.declaration.vocabulary import Vocabulary
from host.declaration.workspace import PluginSource


def link_files(
    site: Site | None,
    plugins: Iterable[PluginFiles],
    vocabulary: Vocabulary,
    *,
    problems: Problems,
    own: Sequence[File] = (),
    environ: Mapping[str, str] | None = None,
    host_version: str = "",
    root: Path | None = None,
) -> Declaration:
    """Read the plugins and link them; `own` are the host's own declarations.

    Raises `DeclarationError` with all problems, those in `problems` included.
    """
    sources: list[PluginSource] = [host_plugin(own, host_version, problems)] if own else []
    sources += [read_plugin(found, problems) for found in plugins]
    return link(
        site, sources, vocabulary,
        environ=environ, host_version=host_version, root=root, problems=problems.sorted(),
    )  # fmt: skip
