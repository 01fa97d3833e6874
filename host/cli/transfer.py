"""`hostwright export` and `hostwright import`: a resource's rows to and from files, as the system or as an account."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

from host.actor import SYSTEM, Actor
from host.application import assemble
from host.auth.lookup import actor_named
from host.cli.data import check_tables
from host.cli.options import root_option, settings_without_secret
from host.compiler.registry import Registry
from host.compiler.wires import CompiledWire
from host.declaration.problems import did_you_mean
from host.errors import Invalid
from host.service.runtime import Runtime
from host.transfer.exporting import FORMATS as EXPORT_FORMATS
from host.transfer.exporting import Export, ExportQuery, parse_query
from host.transfer.importing import ImportOptions, import_file
from host.transfer.records import FORMATS
from host.transfer.report import Report

SUFFIXES = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "mongo"}

as_option = click.option("--as", "username", help="Run under the rules of this account, not as the system.")
wire_option = click.option(
    "--wire", "wire_name", help="The wire whose names the file has; the first when left out."
)


@click.command("export")
@root_option
@click.argument("resource")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(EXPORT_FORMATS),
    help="By default as FILE is called, else csv.",
)
@click.option(
    "--query", default="", help="Filters, order and fields as in a list: 'status=paid&sort=-total'."
)
@click.option(
    "-o", "--output", default="-", metavar="FILE", help="Where to write; standard output when left out."
)
@as_option
@wire_option
def export_command(
    root: Path, resource: str, file_format: str | None, query: str, output: str, username: str | None, wire_name: str | None
) -> None:  # fmt: skip
    """Export the rows of RESOURCE, e.g. freelance.invoice."""
    chosen = file_format or SUFFIXES.get(Path(output).suffix, "csv")
    default = "ndjson" if chosen in ("ndjson", "mongo") else "csv"
    asked = parse_query(query, "ndjson" if default == "ndjson" else "csv")
    with (
        _opened(root, username) as (runtime, actor),
        click.open_file(output, "wb", atomic=output != "-") as file,
    ):
        rows = _export(runtime, actor, _wire(runtime, resource, wire_name), asked)
        try:
            for piece in rows:
                file.write(piece)
        finally:
            rows.close()


def _export(runtime: Runtime, actor: Actor, wire: CompiledWire, query: ExportQuery) -> Export:
    try:
        return Export(runtime.context(actor), wire, query)
    except Invalid as error:
        said = "; ".join(f"{item.pointer}: {item.detail}" for item in error.errors)
        raise click.ClickException(f"{error.detail}: {said}") from None


@click.command("import")
@root_option
@click.argument("resource")
@click.argument("file", type=click.File("rb"))
@click.option("--format", "file_format", type=click.Choice(FORMATS), help="By default as FILE is called.")
@click.option("--dry-run", is_flag=True, help="Check everything, store nothing.")
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="OUTER=INNER",
    help="A name in the file is another one here; OUTER= drops it.",
)
@click.option(
    "--on-duplicate",
    type=click.Choice(("error", "skip", "update")),
    default="error",
    show_default=True,
    help="What to do with rows that exist, by key or unique fields.",
)
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    metavar="ROWS",
    help="Commit after so many rows, not all or nothing.",
)
@click.option(
    "--skip",
    type=click.IntRange(min=0),
    default=0,
    metavar="ROWS",
    help="Pass over so many rows, stored by an earlier run.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@as_option
@wire_option
def import_command(
    root: Path,
    resource: str,
    file: IO[bytes],
    as_json: bool,
    username: str | None,
    wire_name: str | None,
    **given: Any,
) -> None:
    """Import FILE (- is standard input) into RESOURCE, e.g. freelance.invoice. Nothing is stored when a line is wrong."""
    options = ImportOptions(
        format=_format(file, given.pop("file_format")), renames=_renames(given.pop("maps")), **given
    )
    latest = Report(dry_run=options.dry_run)

    with _opened(root, username) as (runtime, actor), _progress(file) as show:

        def follow(report: Report) -> None:
            nonlocal latest
            latest = report
            show(report)

        try:
            latest = import_file(
                runtime, actor, _wire(runtime, resource, wire_name), file.read, options, progress=follow
            )
        except KeyboardInterrupt:
            click.echo(f"Interrupted. {_stored(latest, options)}", err=True)
            raise SystemExit(130) from None
    if as_json:
        done = {"committed": options.skip + latest.committed} if options.batch is not None else {}
        click.echo(json.dumps({**latest.as_dict(), **done}, indent=2))
    else:
        _print(latest, options)
    raise SystemExit(1 if latest.errors else 0)


def _print(report: Report, options: ImportOptions) -> None:
    for error in report.errors:
        place = f" {error.pointer}" if error.pointer else ""
        click.echo(f"line {error.line}{place}: {error.detail}")
    if report.is_full:
        click.echo("There are more errors; these are the first.")
    if report.ignored:
        click.echo(f"Ignored, because the server says it: {', '.join(sorted(report.ignored))}.")
    counts = f"{report.created} created, {report.updated} updated, {report.skipped} skipped"
    if report.errors and not report.dry_run:
        click.echo(f"{_rows(report.rows)} read. {_stored(report, options)}")
    else:
        click.echo(
            f"{_rows(report.rows)} read: {counts}{'; nothing was stored (dry run)' if report.dry_run else ''}."
        )


def _stored(report: Report, options: ImportOptions) -> str:
    if options.batch is None or options.dry_run:
        return "Nothing was stored."
    done = options.skip + report.committed
    return f"The first {_rows(done)} of the file are stored; go on behind them with --skip {done}."


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number} rows"


def _format(file: IO[bytes], given: str | None) -> Any:
    found = given or SUFFIXES.get(Path(getattr(file, "name", "")).suffix.lower())
    if found is None:
        raise click.UsageError(f"say what the file is with --format: {', '.join(FORMATS)}")
    return found


def _renames(maps: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in maps]
    wrong = next((text for text, pair in zip(maps, pairs, strict=True) if not pair[1] or not pair[0]), None)
    if wrong is not None:
        raise click.UsageError(f"--map takes OUTER=INNER, not {wrong!r}")
    return {outer: inner for outer, _, inner in pairs}


@contextmanager
def _opened(root: Path, username: str | None) -> Iterator[tuple[Runtime, Actor]]:
    """The running parts of the site, and who asks."""
    app = assemble(settings_without_secret(root))
    runtime = app.runtime
    try:
        check_tables(runtime.database, runtime.registry)
        actor = SYSTEM
        if username is not None:
            with runtime.reading(SYSTEM) as ctx:
                actor = actor_named(ctx, username)
        yield runtime, actor
    finally:
        runtime.database.dispose()


def _wire(runtime: Runtime, resource: str, wire_name: str | None) -> CompiledWire:
    registry: Registry = runtime.registry
    short = [name for name in registry.models if name.partition(".")[2] == resource]
    name = resource if resource in registry.models else short[0] if len(short) == 1 else None
    if name is None:
        hint = f": write {' or '.join(short)}" if short else did_you_mean(resource, _names(registry))
        raise click.ClickException(f"there is no resource {resource!r}{hint}")
    wires = registry.wires[name]
    found = next((wire for wire in wires if wire_name in (None, wire.name)), None)
    if found is None:
        raise click.ClickException(
            f"{name} has no wire {wire_name!r}; it has {', '.join(wire.name for wire in wires)}"
        )
    return found


def _names(registry: Registry) -> list[str]:
    """Every resource by its qualified name and by its own."""
    return [*registry.models, *(name.partition(".")[2] for name in registry.models)]


@contextmanager
def _progress(file: IO[bytes]) -> Iterator[Callable[[Report], None]]:
    """A bar on a terminal, by how much of the file has been read; else nothing."""
    if not sys.stderr.isatty() or not file.seekable():
        yield lambda report: None
        return
    size = os.fstat(file.fileno()).st_size
    with click.progressbar(length=size, file=sys.stderr, label="Importing") as bar:
        yield lambda report: bar.update(file.tell() - bar.pos)
