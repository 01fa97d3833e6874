"""Python source that turns a stored value into an outer form: the vocabulary of the compiled readers.

A value comes from a `Source` (what the SQLite or PostgreSQL driver gives, a stored JSON document, or Python) and goes to a
`Form` (what a wire wants, or native Python values for plugins). `Emitter.code` answers an expression over a variable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal

import orjson

from host.declaration.nodes import Field, WireValues
from host.fields.durations import MICROSECONDS, in_unit, iso_duration, parse_duration
from host.fields.kinds import Kinds

Source = Literal["sqlite", "postgresql", "json", "python"]
EPOCHS = ("epoch", "epoch_ms")  # instants as numbers


@dataclass(frozen=True, slots=True)
class Form:
    """The outer form of values; `native` means Python's own types."""

    datetime: Literal["iso", "naive", "epoch", "epoch_ms", "native"] = "iso"
    decimal: Literal["string", "number", "native"] = "string"
    duration: Literal["iso", "seconds", "minutes", "native"] = "iso"
    file: Literal["object", "url", "path"] = "object"
    is_native: bool = False

    @classmethod
    def of(cls, values: WireValues) -> Form:
        """The form that a wire declares."""
        return cls(values.datetime, values.decimal, values.duration, values.file)


STANDARD = Form()
NATIVE = Form("native", "native", "native", "path", is_native=True)


def _epoch(value: Any) -> int:
    return int(_instant(value).timestamp())


def _epoch_ms(value: Any) -> int:
    return int(_instant(value).timestamp() * 1000)


def _naive(value: Any) -> str:
    return _instant(value).replace(tzinfo=None).isoformat()


def _instant(value: Any) -> datetime:
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _day(value: Any) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _clock(value: Any) -> time:
    return time.fromisoformat(value) if isinstance(value, str) else value


def _microseconds(value: Any) -> int:
    return (parse_duration(value) if isinstance(value, str) else value) // timedelta(microseconds=1)


NAMES: Mapping[str, Any] = {
    "loads": orjson.loads, "Fragment": orjson.Fragment, "Decimal": Decimal, "epoch": _epoch, "epoch_ms": _epoch_ms,
    "naive": _naive, "instant": _instant, "day": _day, "clock": _clock, "microseconds": _microseconds,
    "iso_duration": iso_duration,
    "in_unit": in_unit, "timedelta": timedelta, "SECOND": MICROSECONDS, "MINUTE": 60 * MICROSECONDS,
}  # fmt: skip
"""What emitted code may refer to."""


class Emitter:
    """Collects the helper functions of nested values while code is made; `names` is the namespace to run it in."""

    def __init__(self, kinds: Kinds, source: Source, form: Form) -> None:
        self.kinds, self.source, self.form = kinds, source, form
        self.names: dict[str, Any] = dict(NAMES)
        self.functions: list[str] = []

    def code(self, node: Field, variable: str, *, nullable: bool, form: Form | None = None) -> str:
        """An expression that gives the outer value of `variable`."""
        code = self._code(node, variable, self.source, form or self.form)
        if code == variable or not nullable:
            return code
        return f"(None if {variable} is None else {code})"

    def _code(self, node: Field, variable: str, source: Source, form: Form) -> str:
        maker = _MAKERS.get(node.type)
        if maker is not None:
            return maker(node, variable, source, form)
        if self.kinds[node.type].is_nested:
            return self._nested(node, variable, source, form)
        return variable

    def _nested(self, node: Field, variable: str, source: Source, form: Form) -> str:
        is_stored_text = source in ("sqlite", "postgresql")
        inner: Source = "json" if is_stored_text else source
        walk = self._walk(node, "x", inner, form)
        if is_stored_text and walk == "x":
            return f"loads({variable})" if form.is_native else f"Fragment({variable})"
        if walk == "x":
            return variable
        return f"{self._function(walk)}({f'loads({variable})' if is_stored_text else variable})"

    def _walk(self, node: Field, variable: str, source: Source, form: Form) -> str:
        if node.type == "list" and node.of is not None:
            item = self._guarded(node.of, "y", source, form)
            return variable if item == "y" else f"[{item} for y in {variable}]"
        if node.type == "object":
            return self._object(node, variable, source, form)
        return variable

    def _object(self, node: Field, variable: str, source: Source, form: Form) -> str:
        parts = {
            name: self._guarded(field, f"{variable}.get({name!r})", source, form)
            for name, field in node.fields.items()
        }
        if source == "json" and all(code == f"{variable}.get({name!r})" for name, code in parts.items()):
            return variable
        items = ", ".join(f"{name!r}: {code}" for name, code in parts.items())
        return f"{{{items}}}"

    def _guarded(self, node: Field, variable: str, source: Source, form: Form) -> str:
        inner = (
            self._code(node, "x", source, form)
            if not self.kinds[node.type].is_nested
            else self._walk(node, "x", source, form)
        )
        return variable if inner == "x" else f"{self._function(inner)}({variable})"

    def _function(self, body: str) -> str:
        name = f"f{len(self.functions)}"
        self.functions.append(f"def {name}(x):\n    return None if x is None else {body}\n")
        return name


Maker = Callable[[Field, str, Source, Form], str]


def _boolean(node: Field, variable: str, source: Source, form: Form) -> str:
    return f"{variable} != 0" if source == "sqlite" else variable


def _decimal(node: Field, variable: str, source: Source, form: Form) -> str:
    fixed = f'f"{{{variable}:.{node.places}f}}"'
    if form.decimal == "native":
        return variable if source == "python" else f"Decimal({variable if source == 'json' else fixed})"
    if form.decimal == "number":
        return variable if source == "sqlite" else f"float({variable})"
    return f"str({variable})" if source == "json" else fixed


def _datetime(node: Field, variable: str, source: Source, form: Form) -> str:
    if form.datetime == "native":
        return f"instant({variable})"
    is_bare = source == "sqlite" and node.stored == "django"
    if form.datetime == "naive" and source == "sqlite" and not is_bare:
        return f"{variable}[:-1]"
    if form.datetime != "iso":
        return f"{form.datetime}({variable})"
    return f'({variable}.replace(" ", "T", 1) + "Z")' if is_bare else variable


def _uuid(node: Field, variable: str, source: Source, form: Form) -> str:
    if source != "sqlite" or node.stored != "django":
        return variable
    bounds = ("[:8]", "[8:12]", "[12:16]", "[16:20]", "[20:]")
    return 'f"' + "-".join(f"{{{variable}{part}}}" for part in bounds) + '"'


def _date(node: Field, variable: str, source: Source, form: Form) -> str:
    return f"day({variable})" if form.is_native and source in ("sqlite", "json") else variable


def _time(node: Field, variable: str, source: Source, form: Form) -> str:
    return f"clock({variable})" if form.is_native and source in ("sqlite", "json") else variable


def _duration(node: Field, variable: str, source: Source, form: Form) -> str:
    number = variable if source in ("sqlite", "postgresql") else f"microseconds({variable})"
    match form.duration:
        case "native":
            return variable if source == "python" else f"timedelta(microseconds={number})"
        case "iso":
            return f"iso_duration({number})"
        case unit:
            return f"in_unit({number}, {'SECOND' if unit == 'seconds' else 'MINUTE'})"


def _file(node: Field, variable: str, source: Source, form: Form) -> str:
    return f"({variable} or None)"  # Django has empty texts for no file


_MAKERS: Mapping[str, Maker] = {
    "boolean": _boolean, "decimal": _decimal, "datetime": _datetime, "date": _date, "time": _time, "duration": _duration,
    "file": _file, "image": _file,
    "uuid": _uuid,
}  # fmt: skip
