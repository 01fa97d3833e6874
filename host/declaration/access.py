"""Who may do what: every enabled operation has a rule, and every rule and expression can be understood.

The linked `access` of a resource names a rule for each operation, whatever short form was written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from host.declaration.nodes import Access, AnyOf, Field, Index, Relation, Resource, Rollup, Rule, Unique
from host.declaration.problems import Place
from host.declaration.scopes import Scope, Use, inside_rule, resolve
from host.declaration.syntax import AlreadyTold, ExpressionError, parse
from host.declaration.trees import Column, rules_in, walk
from host.declaration.workspace import Workspace, owner_of, short

# An operation is guarded by these; a bulk write is guarded by whichever writes are enabled.
_GUARDS: Final[Mapping[str, str]] = {
    "list": "list", "get": "get", "create": "create", "update": "update", "delete": "delete",
    "export": "list", "import": "create", "history": "get",
}  # fmt: skip
_READS: Final = ("list", "get")


def link_access(workspace: Workspace, name: str) -> None:
    """Spell out the access of one resource and check every expression in it."""
    resource = workspace.resources[name]
    bare = short(name)
    access = _spelled_out(resource.access or Access(place=resource.place))
    guards = dict.fromkeys(_GUARDS[it] for it in resource.operations if it in _GUARDS)
    if open_to_nobody := ", ".join(it for it in guards if not getattr(access, it)):
        message = f"nobody may {open_to_nobody}: give `access` a rule, or leave it out of `operations`"
        workspace.problems.add("no_access", access.place, f"{bare}.access", message)
    workspace.resources[name] = replace(resource, access=access)
    _check_access(workspace, name, resource.access, bare)
    _check_fields(workspace, name, resource, bare)
    _check_row_expressions(workspace, name, resource, bare)


def _spelled_out(access: Access) -> Access:
    read, write = access.read or access.every, access.write or access.every
    filled: dict[str, Any] = {
        key: getattr(access, key) or (read if key in _READS else write)
        for key in ("list", "get", "create", "update", "delete")
    }
    return replace(access, **filled)


def _check_access(ws: Workspace, name: str, access: Access | None, bare: str) -> None:
    scope = Scope(owner_of(name), name)
    for key in ("every", "read", "write", "list", "get", "create", "update", "delete"):
        rules = getattr(access, key) if access else ()
        if access and rules:
            place = access.place.of(key)
            check_rules(ws, scope, rules, place, f"{bare}.access.{key}")


def _check_fields(ws: Workspace, name: str, resource: Resource, bare: str) -> None:
    scope = Scope(owner_of(name), name)
    sections: list[tuple[str, Mapping[str, Field] | Mapping[str, Relation]]] = [
        ("fields", {str(key): it for key, it in resource.fields.items()}),
        ("relations", {str(key): it for key, it in resource.relations.items()}),
    ]
    for section, attributes in sections:
        for key, attribute in attributes.items():
            added = isinstance(attribute, Field) and attribute.extends
            path = f"{'extend.' if added else ''}{bare}.{section}.{key}"
            check_rules(ws, scope, attribute.read, attribute.place.of("read"), f"{path}.read")
            check_rules(ws, scope, attribute.write, attribute.place.of("write"), f"{path}.write")


def _check_row_expressions(ws: Workspace, name: str, resource: Resource, bare: str) -> None:
    def check(use: Use, text: str, place: Place, path: str) -> None:
        _check_text(ws, Scope(owner_of(name), name, use), text, place, path)

    for key, field in resource.fields.items():
        if field.computed:
            check("computed", field.computed, field.place.of("computed"), f"{bare}.fields.{key}.computed")
        if field.rollup:
            _check_rollup(ws, resource, field.rollup, f"{bare}.fields.{key}.rollup")
    for at, it in enumerate(resource.checks):
        check("check", it.that, it.place.of("that"), f"{bare}.checks[{at}]")
    groups: list[tuple[int, Unique | Index]] = [*enumerate(resource.unique), *enumerate(resource.indexes)]
    for at, group in groups:
        if group.where:
            section = "unique" if isinstance(group, Unique) else "indexes"
            check("where", group.where, group.place.of("where"), f"{bare}.{section}[{at}].where")


def _check_rollup(ws: Workspace, resource: Resource, rollup: Rollup, path: str) -> None:
    relation = resource.relations.get(rollup.over.partition(".")[0])
    if relation and relation.to in ws.resources:
        scope = Scope(owner_of(relation.to), relation.to, "where")
        for key in ("where", "less"):
            text = getattr(rollup, key) or ""
            _check_text(ws, scope, text, rollup.place.of(key), f"{path}.{key}")


def check_rules(ws: Workspace, scope: Scope, rules: AnyOf, place: Place, path: str) -> None:
    """Check each of several rules of which any has to hold."""
    for at, text in enumerate(rules):
        _check_text(ws, scope, text, place.of(at), path)


def _check_text(ws: Workspace, scope: Scope, text: str, place: Place, path: str) -> None:
    if not text.strip():
        return
    try:
        found = resolve(ws, scope, text)
    except AlreadyTold:
        return
    except ExpressionError as error:
        ws.problems.add(error.code, place, path, str(error))
        return
    for rule in sorted(rules_in(found)):
        _check_rule(ws, scope, rule, place, path, ())


def _check_rule(
    ws: Workspace, scope: Scope, name: str, place: Place, path: str, inside: Sequence[str]
) -> None:
    """Check a named rule for the resource that uses it; its own place is told, and who uses it."""
    if name in inside:  # told by `check_named_rules`
        return
    rule = ws.rules[name]
    here = inside_rule(scope, name)
    for at, text in enumerate(rule.when):
        where = rule.place.of("when").of(at)
        try:
            found = resolve(ws, here, text)
        except AlreadyTold:
            continue
        except ExpressionError as error:
            if error.code == "expression":  # told by `_check_syntax`, once
                continue
            user = scope.resource or "where there is no row"
            ws.problems.add(error.code, where, f"rules.{short(name)}", f"for {user}: {error}")
            continue
        for inner in sorted(rules_in(found)):
            _check_rule(ws, scope, inner, place, path, (*inside, name))


def check_named_rules(workspace: Workspace) -> None:
    """Check what named rules say by themselves: their syntax, their own resource, and that none needs itself."""
    for name, rule in list(workspace.rules.items()):
        path = f"rules.{short(name)}"
        if rule.resource:
            place = rule.place.of("resource")
            found = workspace.find_resource(rule.resource, owner_of(name), place, path)
            if found:
                workspace.rules[name] = replace(rule, resource=found)
                _check_rule(workspace, Scope(owner_of(name), found), name, rule.place, path, ())
        elif rule.examples and any(example.row for example in rule.examples):
            _check_examples(workspace, name, rule, path)
        _check_syntax(workspace, rule, path)
        _check_cycle(workspace, name, rule, path)


def _check_examples(ws: Workspace, name: str, rule: Rule, path: str) -> None:
    users = rule_users(ws.resources, name)
    if len(users) != 1:
        message = f"its examples have rows: say of which resource with `resource` ({len(users)} use the rule)"
        ws.problems.add("rule_example", rule.place.of("examples"), path, message)


def rule_users(resources: Mapping[str, Resource], rule: str) -> list[str]:
    """The resources whose own access names a rule, directly."""
    plugin, _, bare = rule.partition(".")
    found = []
    for name, resource in resources.items():
        spelled = bare if owner_of(name) == plugin else rule
        access = resource.access
        texts = [text for key in _GUARDS.values() for text in (getattr(access, key) if access else ())]
        texts += [text for action in resource.actions.values() for text in action.access]
        if any(_mentions(text, spelled) for text in texts):
            found.append(name)
    return found


def _mentions(text: str, name: str) -> bool:
    try:
        return any(isinstance(it, Column) and ".".join(it.path) == name for it in walk(parse(text)))
    except ExpressionError:
        return False


def _check_syntax(ws: Workspace, rule: Rule, path: str) -> None:
    for at, text in enumerate(rule.when):
        try:
            parse(text)
        except ExpressionError as error:
            ws.problems.add(error.code, rule.place.of("when").of(at), path, str(error))


def _check_cycle(ws: Workspace, name: str, rule: Rule, path: str) -> None:
    cycle = _cycle(ws, name, (name,))
    if cycle and min(cycle) == name:  # told once, at one of them
        message = f"rules need each other: {' → '.join(short(it) for it in (*cycle, name))}"
        ws.problems.add("rule_cycle", rule.place, path, message)


def _cycle(ws: Workspace, name: str, inside: tuple[str, ...]) -> tuple[str, ...] | None:
    for text in ws.rules[name].when:
        for inner in _references(ws, owner_of(name), text):
            if inner == inside[0]:
                return inside
            if inner not in inside and (found := _cycle(ws, inner, (*inside, inner))):
                return found
    return None


def _references(ws: Workspace, plugin: str, text: str) -> list[str]:
    try:
        paths = [it.path for it in walk(parse(text)) if isinstance(it, Column)]
    except ExpressionError:
        return []
    names = [".".join(path) if len(path) == 2 else f"{plugin}.{path[0]}" for path in paths if len(path) <= 2]
    return [name for name in names if name in ws.rules]
