"""`hostwright user`, on a database made by the migrations."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from host.cli import main
from tests.web.identity import SECRET

PASSWORD = "correct horse\n"


@pytest.fixture
def root(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOSTWRIGHT_DATABASE_URL", database_url)
    monkeypatch.setenv("HOSTWRIGHT_SECRET", SECRET)
    monkeypatch.setenv("HOSTWRIGHT_ROOT", str(tmp_path))
    (tmp_path / "resources.yaml").write_text("grammar: 1\nsite: {name: Test}\n")
    assert run("db", "upgrade").exit_code == 0
    return tmp_path


def run(*arguments: str, typed: str = "") -> Result:
    """Run a command with something typed into it."""
    return CliRunner().invoke(main, arguments, input=typed)


def make(*arguments: str) -> Result:
    return run("user", "create", *arguments, "--password-stdin", typed=PASSWORD)


def listed() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(run("user", "list", "--json").stdout)
    return rows


@pytest.mark.usefixtures("root")
def test_administrator_is_made_by_command() -> None:
    made = make("--username", "root", "--email", "root@x.org", "--role", "admin")
    assert made.stdout == "Made root, number 1, with the role admin.\n"
    assert [(row["username"], row["role"], row["active"]) for row in listed()] == [("root", "admin", True)]


@pytest.mark.usefixtures("root")
def test_password_is_asked_for_twice() -> None:
    unequal = run("user", "create", "--username", "ann", typed="correct horse\nother horse\n" + PASSWORD * 2)
    assert unequal.exit_code == 0
    assert "correct horse" not in unequal.output
    assert [row["username"] for row in listed()] == ["ann"]


@pytest.mark.usefixtures("root")
def test_list_shows_no_secret() -> None:
    make("--username", "ann")
    assert listed()[0].keys() == {
        "id", "number", "hex", "username", "email", "name", "role", "active", "email_verified", "created_at",
    }  # fmt: skip
    table = run("user", "list").stdout.splitlines()
    assert table[0].split() == ["number", "username", "email", "role", "active", "id"]
    assert table[1].split()[:5] == ["1", "ann", "-", "user", "yes"]


@pytest.mark.usefixtures("root")
def test_accounts_are_changed_by_name() -> None:
    make("--username", "ann", "--email", "ann@x.org")
    assert run("user", "set-role", "ANN@x.org", "editor").stdout == "ann has the role editor.\n"
    assert run("user", "deactivate", "ann").exit_code == 0
    assert [(row["role"], row["active"]) for row in listed()] == [("editor", False)]
    assert run("user", "activate", "ann").exit_code == 0
    assert run("user", "set-password", "ann", "--password-stdin", typed="another horse\n").exit_code == 0
    assert [row["active"] for row in listed()] == [True]


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["set-role", "nobody", "admin"], "Error: there is no account nobody\n"),
        (["set-role", "ann", "No Role"], "Error: a role is a word of lower-case letters, digits and _\n"),
        (
            ["create", "--username", "ANN", "--password-stdin"],
            "Error: another account has this username already\n",
        ),
        (["create", "--password-stdin"], "give --username or --email"),
    ],
)
def test_mistake_is_one_sentence(arguments: list[str], said: str) -> None:
    make("--username", "ann")
    failed = run("user", *arguments, typed=PASSWORD)
    assert failed.exit_code in (1, 2)
    assert failed.stderr.endswith(said) or said in failed.stderr


@pytest.mark.usefixtures("root")
def test_short_password_is_refused() -> None:
    failed = run("user", "create", "--username", "ann", "--password-stdin", typed="short\n")
    assert (failed.exit_code, failed.stderr) == (1, "Error: a password has at least 8 characters\n")


def test_missing_tables_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOSTWRIGHT_DATABASE_URL", raising=False)
    (tmp_path / "resources.yaml").write_text("grammar: 1\nsite: {name: Test}\n")
    failed = run("user", "list", "--root", str(tmp_path))
    assert failed.stderr == "Error: the database has no tables yet; run `hostwright db upgrade` first\n"
