"""Everything that a reader can use is documented, and what the documents repeat of the code is as the code has it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import click
import pytest

import host
from host.cli import COMMANDS, main
from host.cli.reference import answered_errors, filled, hook_names
from host.declaration.reference import constructs
from host.settings import PREFIX, Settings, read_settings, variables
from tests.docs.blocks import ROOT, Block, blocks_of, documents

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def text_of(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_tables_are_as_the_code_says(path: Path) -> None:
    document = path.read_text(encoding="utf-8")
    assert filled(document) == document, "run: make docs"


@pytest.mark.parametrize("name", hook_names())
def test_every_hook_is_shown_in_use(name: str) -> None:
    assert f"### {name}\n" in text_of("hooks.md")
    assert f"@hookimpl\ndef {name}(" in text_of("hooks.md")


def test_every_error_code_is_documented() -> None:
    missing = {kind.code for kind in answered_errors()} - set(re.findall(r"`(\w+)`", text_of("http.md")))
    assert not missing


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_documented(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    wanted = list(command.commands) if isinstance(command, click.Group) else []
    rows = [line for line in text_of("operations.md").splitlines() if f"`hostwright {name}" in line]
    assert rows
    assert not [word for word in wanted if not any(re.search(rf"[ `]{word}`", row) for row in rows)]


def test_every_option_of_serve_is_documented() -> None:
    command = main.get_command(click.Context(main), "serve")
    assert command is not None
    options = {option for parameter in command.params for option in parameter.opts}
    assert not [option for option in options if f"`{option}`" not in text_of("operations.md")]


def test_every_setting_is_documented() -> None:
    rows = re.findall(r"^\| `(HOSTWRIGHT_\w+)`", text_of("operations.md"), re.MULTILINE)
    assert sorted({*variables(), f"{PREFIX}ROOT"}) == sorted(set(rows))


def test_documented_defaults_are_the_defaults(tmp_path: Path) -> None:
    given = dict(
        re.findall(r"^\| `(HOSTWRIGHT_\w+)` \| `?(\w+)`? \|", text_of("operations.md"), re.MULTILINE)
    )
    documented = {name: value for name, value in given.items() if value != "the"}
    secret = {"HOSTWRIGHT_SECRET": "x" * 32}
    assert read_settings(tmp_path, {**documented, **secret}) == read_settings(
        tmp_path, {**secret, **documented}
    )
    plain, said = read_settings(tmp_path, secret), read_settings(tmp_path, {**documented, **secret})
    assert {
        field.name: getattr(plain, field.name) for field in fields(Settings) if field.name != "environ"
    } == {field.name: getattr(said, field.name) for field in fields(Settings) if field.name != "environ"}


@pytest.mark.parametrize("name", host.__all__)
def test_every_public_name_is_documented(name: str) -> None:
    assert f"`{name}`" in text_of("plugins.md")


def test_every_construct_is_documented() -> None:
    language = text_of("language.md")
    missing = [
        f"{name}.{field.metadata.get('alias', field.name)}"
        for name, kind in constructs().items()
        for field in fields(kind)
        if "doc" in field.metadata and f"| `{field.metadata.get('alias', field.name)}` |" not in language
    ]
    assert not missing


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path: Path) -> None:
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in LINK.findall(prose):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        other = (path.parent / name).resolve() if name else path
        assert other.exists(), f"{target} leads nowhere"
        assert not anchor or anchor in anchors_of(other), f"{target} has no such heading"


def anchors_of(path: Path) -> set[str]:
    """The anchors that GitHub makes of headings."""
    headings = HEADING.findall(path.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_figures_are_those_that_were_measured() -> None:
    measured: dict[str, list[float]] = {"list": [], "get": [], "write": []}
    for operation, ratio in re.findall(
        r"^\| \w+ \| \w+ \| (\w+) \|.*?\| ([\d.]+) \| [\d.]+ \|$", text_of("benchmark.md"), re.M
    ):
        measured[operation if operation in measured else "write"].append(float(ratio))
    said = re.findall(r"([\d.]+) to ([\d.]+)\b", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert [(float(low), float(high)) for low, high in said] == [
        (min(it), max(it)) for it in measured.values()
    ]


def test_every_document_is_in_the_index() -> None:
    index = text_of("index.md")
    pages = [path.name for path in (ROOT / "docs").glob("*.md") if path.name != "index.md"]
    assert not [name for name in pages if f"({name})" not in index]
    decisions = [path.name for path in (ROOT / "docs" / "adr").glob("0*.md")]
    assert not [name for name in decisions if f"({name})" not in text_of("adr/README.md")]


def blocks(language: str) -> list[tuple[str, Block]]:
    """The blocks of one language in every document; the language reference has tests of its own."""
    return [
        (path.relative_to(ROOT).as_posix(), block)
        for path in documents()
        if path.name != "language.md"
        for block in blocks_of(path.read_text(encoding="utf-8"))
        if block.language == language
    ]


def place(given: object) -> str:
    """What a test is called by."""
    return f"line{given.line}" if isinstance(given, Block) else str(given)


@pytest.mark.parametrize(("name", "block"), blocks("python"), ids=place)
def test_python_in_documents_compiles(name: str, block: Block) -> None:
    compile(block.text, f"{name}:{block.line}", "exec")


@pytest.mark.parametrize(("name", "block"), blocks("sh"), ids=place)
def test_shell_in_documents_parses(name: str, block: Block) -> None:
    subprocess.run(["sh", "-n"], input=block.text, text=True, check=True)


DECLARATIONS = [
    (name, block) for name, block in blocks("yaml") if "grammar: 1" in block.text and block.title is None
]


@pytest.mark.parametrize(("name", "block"), DECLARATIONS, ids=place)
def test_declarations_in_documents_link(name: str, block: Block, declare: Callable[[str], object]) -> None:
    declare(block.text)
