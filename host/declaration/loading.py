"""From files to a linked declaration: reads what the site enables and links it. `discovery` and tests call this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from host.declaration.linker import link
from host.declaration.nodes import Declaration
from host.declaration.problems import Problem, Problems
from host.declaration.reader import File, PluginFiles, host_plugin, read_plugin, read_site
from host.declaration.vocabulary import Vocabulary
from host.declaration.workspace import PluginSource


def load_files(
    site: File | None,
    plugins: Sequence[PluginFiles],
    vocabulary: Vocabulary,
    *,
    own: Sequence[File] = (),
    environ: Mapping[str, str] | None = None,
    host_version: str = "",
    problems: Sequence[Problem] = (),
) -> Declaration:
    """Read and link. `own` are the host's own declarations. Raises `DeclarationError` with all problems.

    A plugin that the site does not enable is not read: what is wrong in it harms nobody.
    """
    noted = Problems(problems)
    read = read_site(site[1], site[0], noted) if site else None
    wanted = set(read.site.plugins) if read else {it.name for it in plugins} if site is None else set()
    sources: list[PluginSource] = [host_plugin(own, host_version, noted)] if own else []
    for found in plugins:
        if found.name in wanted and (source := read_plugin(found, noted)):
            sources.append(source)
    return link(
        read, sources, vocabulary, environ=environ, host_version=host_version, problems=noted.sorted()
    )
