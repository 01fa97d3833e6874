"""`hostwright check`: reads and links everything declared, looks up the functions it names, and lists all problems."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn

import click

from host.cli.options import root_option
from host.declaration.calls import resolve_calls
from host.declaration.nodes import Declaration
from host.declaration.problems import Problem, Problems
from host.declaration.workspace import HOST
from host.discovery import Found, discover, has_module, link_found
from host.discovery.hooks import make_hooks
from host.discovery.outlines import Outlines
from host.errors import DeclarationError
from host.fields.kinds import FieldKind, Kinds, kinds, vocabulary


@click.command()
@root_option
@click.option("--json", "as_json", is_flag=True, help="Print problems as JSON, for editors and CI.")
@click.option("--no-code", is_flag=True, help="Leave out what needs the plugins' Python code.")
@click.option("--deploy", is_flag=True, help="List also what stands open on a server with these settings.")
def check(root: Path, as_json: bool, no_code: bool, deploy: bool) -> None:
    """Check every declaration and list all problems."""
    report = _checked(root.resolve(), has_code=not no_code)
    if deploy and not report.problems:
        _show_deployed(root.resolve(), as_json=as_json)
    if as_json:
        click.echo(json.dumps({"problems": [problem.as_dict() for problem in report.problems]}, indent=2))
    elif report.declaration and not report.problems:
        click.echo(_summary(report.declaration))
    else:
        for problem in report.problems:
            click.echo(str(problem))
        click.echo(_count(len(report.problems), "problem"), err=True)
    for problem in report.unused:
        click.echo(f"not enabled, and broken: {problem}", err=True)
    raise SystemExit(1 if report.problems else 0)


def _show_deployed(root: Path, *, as_json: bool) -> NoReturn:
    """Say what stands open; the exit code says whether anything does."""
    from host.cli.deploy import deployed  # assembles the whole app

    found = deployed(root, os.environ)
    number = sum(1 for it in found if it.level == "open")
    if as_json:
        click.echo(json.dumps({"findings": [asdict(it) for it in found]}, indent=2))
    else:
        for finding in found:
            click.echo(str(finding))
        click.echo(f"{_count(number, 'thing')} open" if number else "nothing stands open", err=bool(number))
    raise SystemExit(1 if number else 0)


@dataclass(frozen=True)
class _Report:
    """What a check found; `unused` is wrong with plugins that nobody enabled."""

    problems: Sequence[Problem]
    declaration: Declaration | None = None
    unused: Sequence[Problem] = ()


def _checked(root: Path, *, has_code: bool) -> _Report:
    problems = Problems()
    try:
        found = discover(root, problems)
        known = kinds(*(_field_types(found, problems) if has_code else ()))
        discovery = link_found(found, problems, vocabulary(known), os.environ)
        if has_code:
            resolve_calls(discovery.declaration, Outlines().function)
    except DeclarationError as error:
        return _Report(error.problems)
    declaration = discovery.declaration
    return _Report(_wrong_examples(declaration, known), declaration, found.broken)


def _field_types(found: Found, problems: Problems) -> Sequence[FieldKind]:
    if not any(has_module(it.folder, "hooks") for it in found.enabled):
        return ()
    try:
        hooks = make_hooks(found.enabled)
    except DeclarationError as error:
        problems.extend(error.problems)
        return ()
    return [kind for kinds in hooks.hook.register_field_types() for kind in kinds]


def _wrong_examples(declaration: Declaration, known: Kinds) -> Sequence[Problem]:
    if not any(rule.examples for rule in declaration.rules.values()):
        return ()
    from host.access.examples import run_examples  # the compiler is wanted for examples alone
    from host.compiler.registry import compile_registry

    return run_examples(compile_registry(declaration, known))


def _summary(declaration: Declaration) -> str:
    resources = [name for name in declaration.resources if not name.startswith(f"{HOST}.")]
    plugins = {name.partition(".")[0] for name in resources} | {
        plugin.name for plugin in declaration.plugins if plugin.name not in (HOST, "site")
    }
    return f"{_count(len(resources), 'resource')} in {_count(len(plugins), 'plugin')}, no problems"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
