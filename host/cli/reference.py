"""`python -m host.cli.reference docs/*.md` writes anew what documents repeat of the code: grammar, errors and hooks."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from host import hookspecs
from host.declaration.reference import fill, tables
from host.errors import HostError, RequestError
from host.fields.kinds import kinds
from host.metrics import METRICS


def filled(document: str) -> str:
    """A document with its tables as the code has them now."""
    own = {"field types": _types(), "errors": _errors(), "hooks": _hooks(), "metrics": _metrics()}
    return fill(document, {**tables(), **own})


def _types() -> str:
    rows = ["| Type | Meaning | Takes | Example |", "|---|---|---|---|"]
    for kind in kinds().values():
        takes = ", ".join(f"`{it}`" for it in sorted(kind.constraints))
        example = "" if kind.example is None else f"`{json.dumps(kind.example)}`"
        rows.append(f"| `{kind.name}` | {kind.doc} | {takes} | {example} |")
    return "\n".join(rows)


def _errors() -> str:
    """Every error that is answered to a caller, with what a defect of the host itself is answered as."""
    rows = ["| Status | `code` | Title | When |", "|---|---|---|---|"]
    for kind in sorted(answered_errors(), key=lambda it: (it.status, it.code)):
        rows.append(f"| {kind.status} | `{kind.code}` | {kind.title} | {_first_line(kind)} |")
    rows.append(
        f"| {HostError.status} | `{HostError.code}` | {HostError.title} | A defect; logged under its trace_id. |"
    )
    return "\n".join(rows)


def answered_errors(above: type[HostError] = RequestError) -> Iterator[type[HostError]]:
    """The errors that callers are answered, however deep below the given one."""
    for kind in above.__subclasses__():
        if kind.__module__ == RequestError.__module__:
            yield kind
            yield from answered_errors(kind)


def hook_names() -> list[str]:
    """Every hook, in the order of their phases."""
    return [name for name, value in vars(hookspecs).items() if hasattr(value, f"{hookspecs.PROJECT}_spec")]


def _hooks() -> str:
    return "\n\n".join(_hook(getattr(hookspecs, name)) for name in hook_names())


def _hook(spec: Any) -> str:  # a function with pluggy's mark
    signature = f"{spec.__name__}{inspect.signature(spec)}".replace("'", "")
    return f"### {spec.__name__}\n\n```text\n{signature}\n```\n\n{inspect.getdoc(spec)}"


def _metrics() -> str:
    rows = ["| Metric | Kind | Labels | Meaning |", "|---|---|---|---|"]
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        rows.append(f"| `{metric.name}` | {metric.kind} | {labels} | {metric.doc} |")
    return "\n".join(rows)


def _first_line(kind: type) -> str:
    return (inspect.getdoc(kind) or "").partition("\n")[0]


def main(*paths: Path) -> None:
    """Write documents anew."""
    for path in paths:
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
