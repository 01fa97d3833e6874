"""What the linker has to know of the field types, out of their records."""

from __future__ import annotations

from host.declaration.vocabulary import TypeWords, Vocabulary
from host.fields.kinds import Kinds


def vocabulary(kinds: Kinds) -> Vocabulary:
    """The vocabulary of these field types."""
    return Vocabulary(
        {
            kind.name: TypeWords(
                constraints=kind.constraints,
                ordered=kind.is_ordered,
                text=kind.is_text,
                numeric=kind.is_numeric,
                scalar=not kind.is_nested,
            )
            for kind in kinds.values()
        }
    )
