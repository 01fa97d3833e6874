"""Revision scripts: what `hostwright db make` writes into an owner's folder, for people to read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import groupby
from pathlib import Path

from host.migrations.calls import INDENT, quoted
from host.migrations.changes import Change
from host.migrations.comparison import Comparison
from host.migrations.history import Revision, read_history
from host.migrations.losses import ATTRIBUTES
from host.migrations.owners import Owner
from host.migrations.scratch import scripted

_COMMENTS = {
    "destructive": "Refused without --allow-destructive.",
    "destructive_with_rows": "Refused without --allow-destructive if a row is at stake.",
    "impossible_with_rows": "Cannot run while such rows exist.",
}
# A script with longer lines asks the linter for an exemption.
WIDEST = 130
_STANDARD = ("date", "datetime", "time", "timedelta")


def make(owner: Owner, owners: Sequence[Owner], message: str | None = None) -> Path | None:
    """Write the revision that brings the owner's scripts to its declarations; None if they are there already.

    Needs no database: the present state is what the scripts of all owners make.
    """
    with scripted(owners) as connection:
        comparison = Comparison(connection, owners)
        changes, way_back = comparison.changes(owner), comparison.way_back(owner)
    if not changes:
        return None
    return write_script(owner, message or describe(changes), changes, way_back)


def write_script(owner: Owner, message: str, changes: Sequence[Change], way_back: Sequence[Change]) -> Path:
    """Write a revision that follows the owner's last one."""
    history = read_history(owner.folder)
    number = f"{len(history) + 1:04d}"
    text = render(history[-1] if history else None, number, message, changes, way_back)
    slug = re.sub(r"[^a-z0-9]+", "_", message.lower()).strip("_")[:40].rstrip("_")
    owner.folder.mkdir(parents=True, exist_ok=True)
    path = owner.folder / f"{number}_{slug}.py"
    path.write_text(text, encoding="utf-8")
    return path


def describe(changes: Sequence[Change]) -> str:
    """Say in a few words what changes."""
    tables = [change.table for change in changes if change.summary.startswith("create table")]
    subjects = tables or list(dict.fromkeys(change.summary for change in changes))
    more = f" and {len(subjects) - 3} more" if len(subjects) > 3 else ""
    return ("create " if tables else "") + ", ".join(subjects[:3]) + more


def render(
    previous: Revision | None,
    number: str,
    message: str,
    changes: Sequence[Change],
    way_back: Sequence[Change],
) -> str:
    """Write the text of a revision."""
    up = f"def upgrade() -> None:\n{_body(changes)}"
    back = f"def downgrade() -> None:\n{_body(way_back)}"
    losses = [*_losses(changes, ""), *_losses(way_back, "downgrade_")]
    blocks = "\n\n\n".join([up, back])
    digest = blake2b(f"{previous and previous.id}{blocks}".encode(), digest_size=3).hexdigest()
    down = quoted(previous.id) if previous else "None"
    identity = f"revision = {quoted(f'{number}_{digest}')}\ndown_revision = {down}"
    title = message[:1].upper() + message[1:].rstrip(".").replace("\\", "/").replace('"', "'")
    head = "\n\n".join([f'"""{title}."""', _imports(blocks), identity, *losses])
    text = f"{head}\n\n\n{blocks}\n"
    is_wide = any(len(line) > WIDEST for line in text.splitlines())
    return f"# ruff: noqa: E501\n{text}" if is_wide else text


def _imports(code: str) -> str:
    moments = [name for name in _STANDARD if re.search(rf"\b{name}[.(]", code)]
    standard = [f"from datetime import {', '.join(moments)}"] if moments else []
    standard += ["from decimal import Decimal"] if "Decimal(" in code else []
    third = ["import sqlalchemy as sa"] if "sa." in code else []
    third += ["from alembic import op"]
    own = ["from host.fields import columns"] if "columns." in code else []
    own += ["from host.migrations import search"] if re.search(r"\bsearch\.(?:un)?index\(", code) else []
    return "\n\n".join("\n".join(lines) for lines in (standard, third, own) if lines)


def _body(changes: Sequence[Change]) -> str:
    statements = list(_statements(changes))
    return "\n".join(INDENT + line for line in statements) if statements else f"{INDENT}pass"


def _statements(changes: Sequence[Change]) -> Iterator[str]:
    coded = [change for change in changes if change.code is not None]
    for heading, group in groupby(coded, key=_heading):
        if heading:
            yield heading
        for change in group:
            if change.code is not None:
                yield (INDENT if heading else "") + change.code.lines(INDENT * (2 if heading else 1))


def _heading(change: Change) -> str:
    """The line below which a change stands; changes of one batch share it."""
    if change.batch:
        return f"with op.batch_alter_table({quoted(change.table)}) as batch:"
    return f"if op.get_context().dialect.name == {quoted(change.only)}:" if change.only else ""


def code_of(change: Change) -> str:
    """Write one change as a statement of its own."""
    return "\n".join(_statements([change]))


def _losses(changes: Sequence[Change], prefix: str) -> Iterator[str]:
    for kind, name in ATTRIBUTES.items():
        found = {
            each.hazard.what: each.hazard.count
            for each in changes
            if each.hazard and each.hazard.kind == kind
        }
        if found:
            rows = "".join(f"{INDENT}{quoted(what)}: {quoted(count)},\n" for what, count in found.items())
            yield f"# {_COMMENTS[name]}\n{prefix}{name} = {{\n{rows}}}"
