"""How a value looks outside: the direction, and the forms that a wire declares for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from host.declaration.nodes import WireValues
from host.fields.forms import Form


@dataclass(frozen=True, slots=True)
class Style:
    """One way to write values: `taken` from callers, or `answered` to them."""

    is_taken: bool
    datetime: Literal["iso", "naive", "epoch", "epoch_ms", "native"] = "iso"
    decimal: Literal["string", "number", "native"] = "string"
    duration: Literal["iso", "seconds", "minutes", "native"] = "iso"
    takes_naive: bool = False
    is_lenient: bool = False
    takes_blank: bool = False
    refuses_unknown: bool = True
    file: Literal["object", "url", "path"] = "object"

    @classmethod
    def taken(cls, values: WireValues, unknown: str = "refuse") -> Style:
        """How a wire takes values."""
        return cls(
            True, values.datetime, values.decimal, values.duration, values.naive is not None, values.lenient_dates,
            values.blank == "none", unknown == "refuse",
        )  # fmt: skip

    @classmethod
    def answered(cls, form: Form) -> Style:
        """How a wire answers values."""
        return cls(False, form.datetime, form.decimal, form.duration, file=form.file)

    @property
    def form(self) -> Form:
        """The form of answers in the same style."""
        return Form(self.datetime, self.decimal, self.duration, self.file)

    @property
    def words(self) -> str:
        """What tells it from the standard style, for the names of types that occur in several: `NumberEpoch`."""
        parts = [
            "Number" if self.decimal == "number" else "",
            "" if self.datetime == "iso" else "".join(part.capitalize() for part in self.datetime.split("_")),
            "" if self.duration == "iso" else self.duration.capitalize(),
            "Naive" if self.takes_naive else "",
            "Lenient" if self.is_lenient else "",
            "Blank" if self.takes_blank else "",
            "" if self.refuses_unknown or not self.is_taken else "Open",
        ]
        return "".join(parts)
