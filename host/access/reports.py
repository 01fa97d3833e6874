"""An explanation as plain values, the same for the command and for HTTP, and as the lines of a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from host.access.explaining import Explanation, Verdict
from host.access.properties import BY_RULE, Property, decided
from host.access.questions import Question

Report = dict[str, Any]
_OUTCOMES = {
    "allowed": "allowed", "forbidden": "denied", "hidden": "denied: the row is hidden by the rule of get, as if it did not exist",
    "unauthenticated": "denied: sign in first", "depends": "depends on the row",
}  # fmt: skip
_SIDES = (("hidden", "readable", "hidden_because"), ("unwritable", "writable", "refused_because"))
_MARKS = {True: "holds", False: "fails", None: "depends"}


def report(found: Explanation, asked: Question, who: str, roles: Sequence[str]) -> Report:
    """Everything that is known, in values that JSON has."""
    deciding = found.deciding
    return {
        "as": who,
        "roles": sorted(roles),
        "operation": asked.operation,
        "subject": asked.subject,
        "allowed": found.allowed,
        "outcome": found.outcome,
        "decided_by": deciding.clause.text if deciding is not None else None,
        "clauses": [_clause(verdict) for verdict in found.verdicts],
        "fields": [_field(it) for it in found.fields],
    }


def _clause(verdict: Verdict) -> Report:
    clause = verdict.clause
    told: Report = {"clause": clause.text, "depth": clause.depth, "holds": verdict.holds, "doc": clause.doc}
    told["looked_at"] = {name: _plain(value) for name, value in verdict.looked_at.items()}
    if verdict.rows is not None:
        told["rows"] = [{name: _plain(value) for name, value in row.items()} for row in verdict.rows]
    return told


def _field(it: Property) -> Report:
    return {
        "field": it.name,
        "readable": _word(decided(it.readable)),
        "writable": _word(decided(it.writable)),
        "hidden_because": it.hidden,
        "refused_because": it.refused,
    }


def _word(verdict: bool | None) -> str:
    return "depends" if verdict is None else "yes" if verdict else "no"


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def lines(told: Mapping[str, Any]) -> Iterator[str]:
    """The report as a terminal shows it; of the fields those that a rule keeps back."""
    yield f"{told['operation']} {told['subject']} as {told['as']}: {_OUTCOMES[told['outcome']]}"
    if told["decided_by"] is not None:
        yield f"decided by: {told['decided_by']}"
    for clause in told["clauses"]:
        yield from _clause_lines(clause)
    if not told["clauses"]:
        yield "  no rule is declared for this operation: it is closed"
    sides = _SIDES if told["operation"] in ("create", "update") else _SIDES[:1]
    for heading, verdict, reason in sides:
        yield from _field_lines(told["fields"], heading, verdict, reason)
    if told["roles"]:
        yield f"roles: {', '.join(told['roles'])}"


def _clause_lines(clause: Mapping[str, Any]) -> Iterator[str]:
    doc = f"  # {clause['doc']}" if clause["doc"] else ""
    seen = ", ".join(f"{name} is {value!r}" for name, value in clause["looked_at"].items())
    indent = "  " * clause["depth"]
    yield f"  {_MARKS[clause['holds']]}  {indent}{clause['clause']}{doc}{f'  ({seen})' if seen else ''}"
    for row in clause.get("rows", ()):
        yield f"           {indent}{', '.join(f'{name} {value!r}' for name, value in row.items())}"
    if clause.get("rows") == []:
        yield f"           {indent}there are no such rows"


def _field_lines(
    fields: Sequence[Mapping[str, Any]], heading: str, verdict: str, reason: str
) -> Iterator[str]:
    told = [it for it in fields if it[verdict] != "yes" and str(it[reason]).startswith(BY_RULE)]
    for it in told:
        perhaps = " perhaps" if it[verdict] == "depends" else ""
        yield f"  {heading}{perhaps}  {it['field']}: {it[reason]}"
