"""Which operations an app serves: all plugins together, or one of them alone with what it needs. `application` asks once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from host.declaration.nodes import Credential, Declaration
from host.declaration.order import needed_by
from host.declaration.problems import did_you_mean
from host.declaration.workspace import HOST
from host.errors import ConfigurationError
from host.web.operations import Operation


def served(operations: Iterable[Operation], declaration: Declaration, only: str = "") -> list[Operation]:
    """The operations to serve. With `only` that plugin's own answers stand in the place of the host's on shared paths.

    Raises ConfigurationError when there is no such plugin.
    """
    if not only:
        return [operation for operation in operations if not operation.is_alone]
    plugins = {plugin.name: plugin for plugin in declaration.plugins}
    if only not in plugins or only == HOST:
        known = [name for name in plugins if name != HOST]
        raise ConfigurationError(f'there is no plugin "{only}" to serve alone{did_you_mean(only, known)}')
    shown = needed_by(only, plugins) | {only, HOST}
    chosen = [it for it in operations if it.plugin in shown and (not it.is_alone or it.plugin == only)]
    taken = {(it.method, path) for it in chosen if it.is_alone for path in it.all_paths()}
    return [it for it in chosen if it.is_alone or (it.method, it.path) not in taken]


def with_credentials(operations: Iterable[Operation], *, everywhere: bool) -> Iterator[Operation]:
    """The operations, each with the credential that its wire, its endpoint, the host or the site's setting says."""
    for operation in operations:
        wire = operation.wire.declared.credential if operation.wire is not None else None
        found = operation.credential or wire
        if found is None and (everywhere or operation.plugin == HOST):
            found = Credential(cookie=True)
        yield replace(operation, credential=found) if found is not operation.credential else operation
