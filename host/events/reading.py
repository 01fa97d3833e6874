"""Which fields rules read. An event tells them also where they have not changed, so that who may see it can be decided from it.

Rules of one resource read fields of others, through relations and `any()`, `all()`, `member()`: those count for the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from host.declaration import trees as tree
from host.declaration.keys import attributes
from host.declaration.memberships import ROLE, membership
from host.declaration.nodes import AnyOf, Declaration, Field, Relation, Resource
from host.declaration.scopes import Scope, inside_rule, resolve

OPERATIONS = ("list", "get", "create", "update", "delete")
Fields = Mapping[str, frozenset[str]]


def fields_of_rules(declaration: Declaration) -> Fields:
    """For each resource of a linked declaration, the stored fields and to-one relations that some rule reads."""
    reading = _Reading(declaration)
    for name, resource in declaration.resources.items():
        for scope, rule in _rules(name, resource):
            reading.rule(scope, rule)
    return {name: frozenset(found) for name, found in reading.found.items()}


def _rules(name: str, resource: Resource) -> Iterator[tuple[Scope, AnyOf]]:
    """The rules over rows of a resource, each where it stands."""
    scope = Scope(name.partition(".")[0], name)
    if resource.access is not None:
        for operation in OPERATIONS:
            yield scope, getattr(resource.access, operation)
    for action in resource.actions.values():
        if action.target == "item":
            yield scope, action.access
    nodes: list[Field | Relation] = [*resource.fields.values(), *resource.relations.values()]
    for node in nodes:
        own = replace(scope, plugin=getattr(node, "extends", None) or scope.plugin)
        yield own, node.read
        yield own, node.write


@dataclass
class _Reading:
    """Collects by resource what is read; each rule is looked through once where it means the same."""

    declaration: Declaration
    found: dict[str, set[str]] = field(default_factory=dict)
    seen: set[tuple[Scope, str]] = field(default_factory=set)

    def rule(self, scope: Scope, rule: AnyOf) -> None:
        for text in rule:
            if (scope, text) not in self.seen:
                self.seen.add((scope, text))
                self._expression(resolve(self.declaration, scope, text), scope)

    def _expression(self, expr: tree.Expr, scope: Scope) -> None:
        match expr:
            case tree.Word("owner"):
                self._owner(scope)
            case tree.RuleRef(name):
                self.rule(inside_rule(scope, name), self.declaration.rules[name].when)
            case tree.Column(path):
                self._path(scope, path)
            case tree.Call("member"):
                self._member(scope, expr)
            case tree.Call("any" | "all", (tree.Column(path), *conditions)):
                inside = replace(scope, resource=self._path(scope, path))
                for condition in conditions:
                    self._expression(condition, inside)
            case _:
                for part in tree.below(expr):
                    self._expression(part, scope)

    def _owner(self, scope: Scope) -> None:
        owned = self.declaration.resources[scope.resource or ""].mixins.owned
        if owned is not None:
            self._add(scope.resource or "", owned.name)

    def _member(self, scope: Scope, call: tree.Call) -> None:
        asked = membership(self.declaration.resources, scope.resource or "", call)
        target = self._path(scope, asked.path)
        if asked.relation is not None:
            self._add(target, asked.relation)
        if asked.roles:
            self._add(target, ROLE)

    def _path(self, scope: Scope, path: tuple[str, ...]) -> str:
        """Add every step; answers the resource at the end of the path."""
        resource = scope.resource or ""
        for step in path:
            node = attributes(self.declaration.resources[resource])[step]
            if isinstance(node, Field):
                self._field(replace(scope, resource=resource), step, node)
                continue
            if not node.many:
                self._add(resource, step)
            elif node.by is not None:
                self._add(node.to, node.by)
            resource = node.to
        return resource

    def _field(self, scope: Scope, name: str, node: Field) -> None:
        """A field, or those of which a computed one is made."""
        if node.computed is None:
            self._add(scope.resource or "", name)
            return
        for inner in tree.names_in(resolve(self.declaration, replace(scope, use="computed"), node.computed)):
            self._add(scope.resource or "", inner)

    def _add(self, resource: str, name: str) -> None:
        self.found.setdefault(resource, set()).add(name)
