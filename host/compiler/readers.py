"""Compiled reading: per resource, wire and choice of fields, the columns to select and a generated function over the rows.

No ORM object and no marshmallow dump per row: the function is Python source made once, one dictionary literal per row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from host.compiler.expressions import Scope, any_of, to_sql
from host.compiler.models import Attribute, Model
from host.declaration.expressions import Column
from host.declaration.nodes import AnyOf, Field
from host.fields.forms import STANDARD, Emitter, Form, Source
from host.fields.kinds import Kinds

Row = dict[str, Any]
Sign = Callable[..., str]  # what makes an address of a file hold without a token


@dataclass(frozen=True)
class Made:
    """A value that a function makes of several selected ones, each in its plain form; without a field as it is fetched.

    `make` is called once, when the reader is made, with what signs addresses.
    """

    values: tuple[tuple[Any, Field | None], ...]
    make: Callable[[Sign | None], Callable[..., Any]]


@dataclass(frozen=True)
class Nested:
    """A related row inside an answered one: joined where it is there for the actor, which the output's value tells."""

    outputs: tuple[Output, ...]
    source: Any
    joined: Any


@dataclass(frozen=True)
class Output:
    """One key of the answered row: where its value comes from and in which form."""

    key: str
    field: Field
    value: Any  # the SQL to select; None for a constant
    is_nullable: bool = True
    form: Form | None = None  # another than the wire's
    constant: Any = None
    guard: Any = None  # SQL of a condition without which the key is absent
    made: Made | None = None  # instead of the plain value
    nested: Nested | None = None  # a related row instead of its key
    is_filled: bool = False  # the row's key as it is fetched, in whose place related rows will be put


@dataclass(frozen=True)
class Reader:
    """What to select and how a fetched sequence of rows becomes dictionaries.

    `extra` columns that the caller appends to the selection stay outside: `build` ignores what is behind `width`.
    """

    columns: tuple[Any, ...]
    build: Callable[[Sequence[Sequence[Any]]], list[Row]]
    source: str  # the generated code, for `hostwright show`
    joins: tuple[tuple[Any, Any], ...] = ()  # related rows that are selected from, each with its condition

    def joined(self, table: Any) -> Any:
        """What to select from: the table, with the related rows that are read with it."""
        for source, condition in self.joins:
            table = sa.outerjoin(table, source, condition)
        return table

    @property
    def width(self) -> int:
        """The number of columns that belong to the row."""
        return len(self.columns)

    def one(self, row: Sequence[Any]) -> Row:
        """A single row."""
        return self.build([row[: self.width]])[0]


def attribute_output(
    attribute: Attribute, scope: Scope, key: str | None = None, form: Form | None = None
) -> Output:
    """The plain output of an attribute under its own, or another, name."""
    return Output(
        key or attribute.name, attribute.field, scope.column(attribute.name), attribute.is_nullable, form
    )


def readable(attribute: Attribute, scope: Scope, output: Output) -> Output | None:
    """The output if the field's `read` rule lets the actor see it; guarded by the rule where it depends on the row."""
    return guarded(attribute.field.read, scope, output)


def guarded(rule: AnyOf, scope: Scope, output: Output) -> Output | None:
    """The output under a `read` rule of its own."""
    if not rule or scope.facts.is_system:
        return output
    condition = any_of(rule, replace(scope, fixed=scope.known) if scope.known else scope)
    if isinstance(condition, bool):
        return output if condition else None
    return replace(output, guard=condition)


def path_output(key: str, path: str, field: Field, scope: Scope) -> Output:
    """An output read through a to-one relation (`owner.username`)."""
    return Output(key, field, to_sql(Column(tuple(path.split("."))), scope))


def compile_reader(
    outputs: Sequence[Output], kinds: Kinds, source: Source, form: Form, sign: Sign | None = None
) -> Reader:
    """Generate the reader of these outputs; a value that occurs under two keys is selected once."""
    emitter = Emitter(kinds, source, form)
    selection = _Selection()
    items = [_item(output, emitter, selection, sign) for output in outputs]
    if (
        not selection.columns
    ):  # constants alone, or nothing that this actor may read: the row still has to be there
        selection.variable(sa.literal_column("1"))
    variables = ", ".join(f"a{index}" for index in range(len(selection.columns)))
    body = f"def build(rows):\n    return [{{{', '.join(items)}}} for {variables}, in rows]\n"
    source_code = "".join(emitter.functions) + body
    namespace: dict[str, Any] = dict(emitter.names)
    exec(
        compile(source_code, "<compiled reader>", "exec"), namespace
    )  # literals only: every name in it is quoted by repr
    joins = tuple((it.nested.source, it.nested.joined) for it in outputs if it.nested is not None)
    return Reader(tuple(selection.columns), namespace["build"], source_code, joins)


class _Selection:
    """The selected columns, each with a variable of the generated loop."""

    def __init__(self) -> None:
        self.columns: list[Any] = []
        self._variables: dict[int, str] = {}

    def variable(self, value: Any) -> str:
        if id(value) not in self._variables:
            self._variables[id(value)] = f"a{len(self.columns)}"
            self.columns.append(value)
        return self._variables[id(value)]


def _item(output: Output, emitter: Emitter, selection: _Selection, sign: Sign | None) -> str:
    """One `key: value` of the dictionary literal."""
    if output.value is None:
        name = f"c{len(emitter.names)}"
        emitter.names[name] = output.constant
        return f"{output.key!r}: {name}"
    if output.is_filled:
        code = selection.variable(output.value)
    elif output.nested is not None:
        items = ", ".join(_item(it, emitter, selection, sign) for it in output.nested.outputs)
        code = f"(None if {selection.variable(output.value)} is None else {{{items}}})"
    elif output.made is not None:
        code = _call(output.made, emitter, selection, sign)
    else:
        code = emitter.code(
            output.field, selection.variable(output.value), nullable=output.is_nullable, form=output.form
        )
    if output.guard is None:
        return f"{output.key!r}: {code}"
    return f"**({{{output.key!r}: {code}}} if {selection.variable(output.guard)} else {{}})"


def _call(made: Made, emitter: Emitter, selection: _Selection, sign: Sign | None) -> str:
    name = f"c{len(emitter.names)}"
    emitter.names[name] = made.make(sign)
    arguments = [
        selection.variable(value)
        if field is None
        else emitter.code(field, selection.variable(value), nullable=False, form=STANDARD)
        for value, field in made.values
    ]
    return f"{name}({', '.join(arguments)})"


def native_outputs(model: Model, scope: Scope) -> list[Output]:
    """Every attribute, for plugins' code: inner names, Python values."""
    return [
        attribute_output(attribute, scope)
        for attribute in model.attributes.values()
        if not _is_hidden(attribute)
    ]


def _is_hidden(attribute: Attribute) -> bool:
    return attribute.field.transient


def converter(field: Field, kinds: Kinds, form: Form, source: Source = "python") -> Callable[[Any], Any]:
    """A function from a value of a field's type to another form of it, e.g. to the outer one of what actions answer."""
    emitter = Emitter(kinds, source, form)
    code = emitter.code(field, "x", nullable=True)
    namespace: dict[str, Any] = dict(emitter.names)
    exec("".join(emitter.functions) + f"def convert(x):\n    return {code}\n", namespace)
    return namespace["convert"]  # type: ignore[no-any-return]  # made by exec
