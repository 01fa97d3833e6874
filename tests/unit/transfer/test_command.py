"""`hostwright export` and `hostwright import`, run in this process on an SQLite file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from host.cli import main
from tests.unit.transfer.shop import Shop


@pytest.fixture
def run(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`run("export", "tag")` runs a command in the shop's folder."""
    settings = shop.site.app.settings
    monkeypatch.setenv("HOSTWRIGHT_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("HOSTWRIGHT_ROOT", str(settings.root))
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str, given: str | None = None) -> Result:
        return CliRunner().invoke(main, list(arguments), input=given)

    return command


def test_file_goes_out_and_in(run: Any, shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "tags.csv").write_text("name\nred\n=blue\n")
    said = run("import", "tag", "tags.csv")
    assert (said.exit_code, said.output) == (0, "2 rows read: 2 created, 0 updated, 0 skipped.\n")
    assert run("export", "site.tag", "-o", "out.ndjson").exit_code == 0
    names = sorted(json.loads(line)["name"] for line in (tmp_path / "out.ndjson").read_text().splitlines())
    assert names == ["=blue", "red"]


def test_standard_streams_are_used(run: Any, shop: Shop) -> None:
    assert run("import", "tag", "-", "--format", "ndjson", given='{"name":"red"}\n').exit_code == 0
    assert run("export", "tag", "--query", "fields=name").output == "name\nred\n"


def test_errors_end_with_status_one(run: Any, shop: Shop) -> None:
    said = run("import", "tag", "-", "--format", "ndjson", given='{"name":5}\n{"nam":"x"}\n')
    assert said.exit_code == 1
    assert said.output.splitlines() == [
        "line 1 /name: expected a text", 'line 2 /nam: nobody declared this; did you mean "name"?',
        "2 rows read. Nothing was stored.",
    ]  # fmt: skip


def test_report_is_printed_as_json(run: Any, shop: Shop) -> None:
    said = run("import", "tag", "-", "--format", "ndjson", "--dry-run", "--json", given='{"name":"red"}\n')
    assert json.loads(said.output)["created"] == 1
    assert json.loads(said.output)["dry_run"] is True


def test_stopped_batch_says_how_to_go_on(run: Any, shop: Shop) -> None:
    given = '{"name":"a"}\n{"name":"b"}\n{"name":3}\n'
    said = run("import", "tag", "-", "--format", "ndjson", "--batch", "2", given=given)
    assert "The first 2 rows of the file are stored; go on behind them with --skip 2." in said.output
    more = ("--skip", "2", "--batch", "2", "--json")
    said = run("import", "tag", "-", "--format", "ndjson", *more, given=given.replace("3", '"c"'))
    assert json.loads(said.output)["committed"] == 3
    assert (said.exit_code, len(shop.rows("tag"))) == (0, 3)


def test_account_is_bound_by_its_rules(run: Any, shop: Shop) -> None:
    given = '{"name":"a","owner":"nobody"}\n'
    said = run("import", "customer", "-", "--format", "ndjson", "--as", "ann", given=given)
    assert "Ignored, because the server says it: owner." in said.output
    assert shop.rows("customer")[0]["owner"] == shop.ann.id
    assert run("export", "customer", "--as", "bob", "--query", "fields=name").output == "name\n"


def test_names_are_mapped(run: Any, shop: Shop) -> None:
    given = "Title,Old\nred,1\n"
    assert (
        run(
            "import", "tag", "-", "--format", "csv", "--map", "Title=name", "--map", "Old=", given=given
        ).exit_code
        == 0
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export", "tagg"), 'did you mean "tag"?'), (("export", "tag", "--wire", "x"), "it has main"),
        (("export", "tag", "--query", "foo=1"), "foo: "), (("export", "tag", "--as", "nobody"), "Error"),
        (("import", "tag", "-"), "--format"), (("import", "tag", "-", "--format", "csv", "--map", "x"), "OUTER=INNER"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_one_line(run: Any, shop: Shop, arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments, given="")
    assert result.exit_code in (1, 2)
    assert said in result.output
