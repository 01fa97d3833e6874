"""Pass one of compiling: every linked resource becomes a SQLAlchemy table in one MetaData, and a Model over it.

Tables know their plugin and former name (`table.info`), columns their former name, what fills old rows and, where it is not
the table's, their plugin (`column.info`): the migrations layer reads nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Literal

import sqlalchemy as sa

from host.compiler.aggregates import folded
from host.compiler.expressions import Scope, to_sql
from host.compiler.models import Attribute, Link, Matched, Model, Models, freeze
from host.compiler.search import with_search
from host.database import NAMING_CONVENTION
from host.declaration.expressions import parse
from host.declaration.keys import generated_key
from host.declaration.matching import matching_group
from host.declaration.nodes import Declaration, Field, Index, Match, Name, Relation, Resource, Rollup, Unique
from host.fields.kinds import Kinds, longest

LONGEST_NAME = 63


@dataclass
class _Build:
    """What grows while tables are made; nobody keeps it."""

    declaration: Declaration
    kinds: Kinds
    metadata: sa.MetaData = field(default_factory=lambda: sa.MetaData(naming_convention=NAMING_CONVENTION))
    models: dict[str, Model] = field(default_factory=dict)


def compile_tables(declaration: Declaration, kinds: Kinds) -> tuple[sa.MetaData, Models]:
    """Tables and models of every resource. The declaration must be linked."""
    build = _Build(declaration, kinds)
    for name, resource in declaration.resources.items():
        build.models[name] = _model(build, name, resource)
    for model in list(build.models.values()):
        build.models[model.name] = with_search(_with_links(build, model), build.metadata)
    for model in build.models.values():
        _constrain(build, model)
    _shorten_names(build.metadata)
    return build.metadata, freeze(build.models)


def _model(build: _Build, name: str, resource: Resource) -> Model:
    key_names = ("id",) if isinstance(resource.key, str) else resource.key
    attributes = (
        [_key(build, generated_key(resource.key, resource.stored))] if isinstance(resource.key, str) else []
    )
    attributes += [
        _field(build, resource, field_name, node, key_names) for field_name, node in resource.fields.items()
    ]
    attributes += [
        _relation(build, resource, relation_name, node, key_names)
        for relation_name, node in resource.relations.items()
        if not node.many
    ]
    columns = [attribute.column for attribute in attributes if attribute.column is not None]
    table = sa.Table(
        resource.table or "",
        build.metadata,
        *columns,
        info={
            "owner": name.partition(".")[0],
            "was": _former_table(name, resource),
            "stored": resource.stored,
        },
        # Numbers of accounts are never given twice, also when the last one has gone.
        sqlite_autoincrement=resource.identity is not None and resource.key == "int",
    )
    by_name = {attribute.name: attribute for attribute in attributes if not attribute.field.transient}
    return Model(name, resource, table, tuple(by_name[key] for key in key_names), by_name)


def _former_table(name: str, resource: Resource) -> str | None:
    return f"{name.partition('.')[0]}_{resource.was}" if resource.was else None


def _key(build: _Build, node: Field) -> Attribute:
    if node.type == "integer":
        # SQLite numbers rows itself only in a column of exactly this type.
        column: sa.Column[Any] = sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True
        )
    elif node.type == "uuid":
        column = sa.Column("id", build.kinds["uuid"].column(node), primary_key=True)
    else:
        column = sa.Column("id", sa.String(longest(node)), primary_key=True)
    return Attribute("id", node, column, is_key=True, is_nullable=False)


def _field(build: _Build, resource: Resource, name: str, node: Field, keys: tuple[str, ...]) -> Attribute:
    nullable = is_nullable(node) and name not in keys
    if node.rollup is not None:
        node = replace(node, stored=_rolled_up(build, resource, node.rollup))
    if node.computed is not None or node.rollup is not None or node.transient:
        nullable = node.rollup is None or (node.rollup.function != "count" and node.rollup.empty is None)
        return Attribute(name, node, None, is_nullable=nullable, type=build.kinds[node.type].column(node))
    if name in keys and node.set is None:
        node = replace(node, set="once")
    column = sa.Column(
        node.column or name,
        build.kinds[node.type].column(node),
        nullable=nullable,
        primary_key=name in keys,
        autoincrement=False,
        info={"was": node.was, "backfill": node.default, "owner": node.extends},
    )
    is_file = build.kinds[node.type].is_file
    return Attribute(name, node, column, is_key=name in keys, is_nullable=nullable, is_file=is_file)


def _rolled_up(build: _Build, resource: Resource, rollup: Rollup) -> Literal["host", "django"]:
    """The form of the values that are aggregated: that of the rows over there."""
    return build.declaration.resources[resource.relations[Name(rollup.over.partition(".")[0])].to].stored


def is_nullable(node: Field) -> bool:
    """Whether null may be stored and answered."""
    if node.nullable is not None:
        return node.nullable
    return not (node.required or node.default is not None)


def _relation(
    build: _Build, resource: Resource, name: str, node: Relation, keys: tuple[str, ...]
) -> Attribute:
    target = build.declaration.resources[node.to]
    referred, described = _referred(build, target, node)
    nullable = not node.required and name not in keys
    column = sa.Column(
        node.column or f"{name}_id",
        build.kinds[described.type].column(described),
        sa.ForeignKey(f"{target.table}.{referred}", ondelete=_action(resource, node.on_delete)),
        nullable=nullable,
        primary_key=name in keys,
        autoincrement=False,
        info={"was": node.was and f"{node.was}_id"},
    )
    value = replace(
        described,
        doc=node.doc,
        set=node.set,
        required=node.required,
        read=node.read,
        write=node.write,
        default=None,
        unique=False,  # over there, not here
    )
    return Attribute(name, value, column, node, is_key=name in keys, is_nullable=nullable)


def _action(resource: Resource, on_delete: str) -> str | None:
    """What the database does by itself. In tables that Django uses, too, nothing: the service carries it out."""
    return None if resource.stored == "django" else on_delete.upper().replace("_", " ")


def _referred(build: _Build, target: Resource, node: Relation) -> tuple[str, Field]:
    """The column over there that a to-one relation refers to, and the description of its values."""
    if node.by not in (None, "id"):
        described = target.fields[node.by or Name("")]
        return described.column or node.by or "", replace(described, set=None, counter=None)
    if isinstance(target.key, str):
        return "id", replace(generated_key(target.key, target.stored), set=None, nullable=None, column=None)
    described = target.fields[target.key[0]]
    return described.column or target.key[0], described


# --- to-many relations ------------------------------------------------------------------------------------------------


def _with_links(build: _Build, model: Model) -> Model:
    links = {
        name: _link(build, model, name, node) for name, node in model.declared.relations.items() if node.many
    }
    return replace(model, links=links)


def _link(build: _Build, model: Model, name: str, node: Relation) -> Link:
    if node.by is not None:
        return Link(name, node, node.to, back=node.by)
    target = build.models[node.to]
    there_name = f"{target.noun}_id" if target.noun != model.noun else f"other_{target.noun}_id"
    here, there = (
        sa.Column(
            column_name,
            key.column.type,
            sa.ForeignKey(key.column, ondelete=_action(model.declared, "cascade")),
            primary_key=True,
            info={"was": former and f"{former}_id"},
        )
        for column_name, key, former in (
            (f"{model.noun}_id", model.keys[0], model.declared.was),
            (there_name, target.keys[0], target.declared.was),
        )
        if key.column is not None
    )
    former_table = f"{model.table.info['was'] or model.table.name}_{node.was or name}"
    table = sa.Table(
        node.through or f"{model.table.name}_{name}", build.metadata, here, there,
        sa.Index(None, there), info={"owner": model.plugin, "was": former_table, "stored": model.declared.stored},
    )  # fmt: skip
    key = replace(target.keys[0].field, set=None, required=False, default=None, doc=None)
    found = Link(name, node, node.to, table=table, here=here, there=there, key=key)
    return found if node.match is None else _matching(found, node.match, target)


def _matching(link: Link, match: Match, target: Model) -> Link:
    group = matching_group(target.declared, match)
    assert group is not None  # the linker checked it
    attribute = target.attributes[match.field]
    shared = tuple(name for name in group.fields if name != match.field)
    matched = Matched(attribute, shared, match.field in group.lower, match.create)
    text = replace(
        attribute.field,
        required=False,
        default=None,
        doc=None,
        unique=False,
        set=None,
        min=None,
        nullable=False,
    )
    return replace(link, key=text, matched=matched)


# --- constraints and indexes ------------------------------------------------------------------------------------------


def _constrain(build: _Build, model: Model) -> None:
    scope = Scope(model, build.models)
    for attribute in model.stored():
        is_held = model.declared.stored == "host"  # Django keeps its choices to itself
        if is_held and attribute.field.type == "enum" and attribute.column is not None:
            quoted = (value.replace("'", "''") for value in attribute.field.values)
            values = sa.column(attribute.column.name).in_(
                [sa.literal_column(f"'{value}'") for value in quoted]
            )
            column = attribute.column.name
            model.table.append_constraint(sa.CheckConstraint(values, name=column, info={"column": column}))
    for check in model.declared.checks:
        condition = to_sql(parse(check.that), scope)
        condition = sa.true() if condition is True else condition
        model.table.append_constraint(
            sa.CheckConstraint(condition, name=check_name(check.that), info={"that": check.that})
        )
    for unique in uniques(model):
        _add_unique(model, unique, scope)
    for index in model.declared.indexes:
        _add_index(model, index, scope)
    _index_references(model)


def _shorten_names(metadata: sa.MetaData) -> None:
    """PostgreSQL cuts longer names in silence; one name has to serve both databases, scripts and error messages."""
    for table in metadata.tables.values():
        items: list[sa.Constraint | sa.Index] = [*table.constraints, *table.indexes]
        for item in items:
            name = str(item.name or "")
            if len(name) > LONGEST_NAME:
                digest = blake2b(name.encode(), digest_size=4).hexdigest()
                item.name = sa.schema.conv(f"{name[: LONGEST_NAME - 9]}_{digest}")


def check_name(text: str) -> str:
    """A name that changes with the condition, so that a changed condition is a changed constraint."""
    return f"check_{blake2b(text.encode(), digest_size=4).hexdigest()}"


def uniques(model: Model) -> list[Unique]:
    """What occurs once: declared of the resource, and short at a single field or relation."""
    single = [
        Unique(fields=(attribute.name,))
        for attribute in model.stored()
        if attribute.field.unique or (attribute.relation is not None and attribute.relation.unique)
    ]
    return [*single, *model.declared.unique]


def _column(model: Model, name: str) -> sa.Column[Any]:
    column = model.attributes[name].column
    assert column is not None  # the linker refuses indexes over computed fields
    return column


def _add_unique(model: Model, unique: Unique, scope: Scope) -> None:
    columns = [_column(model, name) for name in unique.fields]
    where = to_sql(parse(unique.where), scope) if unique.where else None
    if model.deleted is not None and model.deleted.column is not None:
        alive = model.deleted.column.is_(None)
        where = alive if where is None else sa.and_(where, alive)
    if where is None and not unique.lower and not unique.unordered:
        model.table.append_constraint(sa.UniqueConstraint(*columns))
        return
    pair = [_folded(model, unique, name) for name in unique.unordered]
    ordered = [lesser(*pair), lesser(*pair[::-1])] if pair else []
    parts = [
        ordered.pop(0) if name in unique.unordered else _folded(model, unique, name) for name in unique.fields
    ]
    suffix = ("_lower" if unique.lower else "") + ("_pair" if unique.unordered else "")
    name = f"uq_{model.table.name}_{'_'.join(column.name for column in columns)}{suffix}"
    sa.Index(name, *parts, unique=True, _table=model.table, **_partial(where))


def _folded(model: Model, unique: Unique, name: str) -> Any:
    column = _column(model, name)
    if name not in unique.lower:
        return column
    return folded(column) if model.declared.stored == "django" else sa.func.lower(column)


def lesser(one: Any, other: Any) -> Any:
    """The lesser of two, in words that both databases know; with its arguments turned round the greater, if they differ."""
    return sa.sql.elements.Grouping(sa.case((one < other, one), else_=other))


def _partial(where: Any) -> dict[str, Any]:
    return {} if where is None else {"sqlite_where": where, "postgresql_where": where}


def _add_index(model: Model, index: Index, scope: Scope) -> None:
    columns = [_column(model, name.lstrip("-")) for name in index.fields]
    parts = [
        column.desc() if name.startswith("-") else column
        for name, column in zip(index.fields, columns, strict=True)
    ]
    where = to_sql(parse(index.where), scope) if index.where else None
    name = f"ix_{model.table.name}_{'_'.join(column.name for column in columns)}"
    sa.Index(name, *parts, _table=model.table, **_partial(where))


def _index_references(model: Model) -> None:
    """Deleting over there, and listing what an owner has in its default order, must not scan this table."""
    leading = {next(iter(index.columns)).name for index in model.table.indexes if len(index.columns)}
    for attribute in model.stored():
        column = attribute.column
        if attribute.relation is None or column is None or attribute is model.owner or column.name in leading:
            continue
        sa.Index(f"ix_{model.table.name}_{column.name}", column, _table=model.table)
    if model.owner is not None:
        _index_owner(model)


def _index_owner(model: Model) -> None:
    order = [name.lstrip("-") for name in model.declared.query.default_sort]
    names = list(
        dict.fromkeys([model.owner.name if model.owner else "", *order, *(key.name for key in model.keys)])
    )
    columns = [_column(model, name) for name in names if model.attributes[name].column is not None]
    name = f"ix_{model.table.name}_{'_'.join(column.name for column in columns)}"
    if name not in {index.name for index in model.table.indexes}:
        sa.Index(name, *columns, _table=model.table)
