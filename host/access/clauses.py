"""The clauses of a rule as they are written, named rules opened: what `explaining` decides one by one."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from host.declaration.nodes import AnyOf, Rule


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a rule; `depth` says how far inside it stands, `plugin` whose named rules its words mean."""

    text: str
    depth: int
    plugin: str
    doc: str | None = None


def clauses(rule: AnyOf, rules: Mapping[str, Rule], plugin: str) -> tuple[Clause, ...]:
    """Every clause, each followed by those it is made of."""
    return tuple(clause for condition in rule for clause in _opened(condition, 0, rules, plugin))


def _opened(text: str, depth: int, rules: Mapping[str, Rule], plugin: str) -> Iterator[Clause]:
    node = ast.parse(text.strip(), mode="eval").body
    spelled = ast.unparse(node)
    name = spelled if "." in spelled else f"{plugin}.{spelled}"
    named = rules.get(name) if isinstance(node, ast.Name | ast.Attribute) else None
    yield Clause(spelled, depth, plugin, named.doc if named else None)
    if named is not None:
        for condition in named.when:
            yield from _opened(condition, depth + 1, rules, name.partition(".")[0])
    elif isinstance(node, ast.BoolOp):
        for part in node.values:
            yield from _opened(ast.unparse(part), depth + 1, rules, plugin)
