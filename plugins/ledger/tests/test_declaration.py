"""The declarations themselves."""

from pathlib import Path

from click.testing import CliRunner

from host.cli import main
from plugins.ledger.tests.book import SITE


def test_declarations_have_no_problems(tmp_path: Path) -> None:
    (tmp_path / "resources.yaml").write_text(SITE)
    told = CliRunner().invoke(main, ["check", "--root", str(tmp_path)])
    assert (told.exit_code, told.output.splitlines()[-1]) == (0, "6 resources in 1 plugin, no problems")
