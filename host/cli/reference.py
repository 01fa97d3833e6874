"""`python -m host.cli.reference docs/language.md` writes the tables of the language reference anew."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from host.declaration.reference import fill, tables
from host.fields.kinds import kinds


def filled(document: str) -> str:
    """The reference with its tables as the grammar has them now."""
    return fill(document, {**tables(), "field types": _types()})


def _types() -> str:
    rows = ["| Type | Meaning | Takes | Example |", "|---|---|---|---|"]
    for kind in kinds().values():
        takes = ", ".join(f"`{it}`" for it in sorted(kind.constraints))
        example = "" if kind.example is None else f"`{json.dumps(kind.example)}`"
        rows.append(f"| `{kind.name}` | {kind.doc} | {takes} | {example} |")
    return "\n".join(rows)


def main(path: Path) -> None:
    """Write one document anew."""
    path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
