"""`hostwright user`, on a database made by the migrations."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from host.auth.sessions import Visitor
from host.cli import main
from host.cli.accounts import opened
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


@pytest.mark.usefixtures("root")
def test_operator_helps_somebody_who_cannot_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    make("--username", "ann", "--email", "ann@x.org")
    assert run("user", "verify", "ann").stdout == "ann has a confirmed address.\n"
    assert [row["email_verified"] for row in listed()] == [True]
    assert run("user", "unlock", "ann").stdout == "ann can sign in without waiting.\n"
    assert run("user", "sessions", "ann").stdout.split() == [
        "id", "kind", "address", "user_agent", "created_at", "used_at", "expires_at",
    ]  # fmt: skip
    assert run("user", "sessions", "ann", "--end").stdout == "0 sessions of ann end within seconds.\n"
    assert "set HOSTWRIGHT_PUBLIC_URL" in run("user", "reset-link", "ann").stderr
    monkeypatch.setenv("HOSTWRIGHT_PUBLIC_URL", "https://app.example.org")
    link = run("user", "reset-link", "ann").stdout
    assert link.startswith("https://app.example.org/api/auth/reset-password?token=")


def test_embedded_site_leads_to_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "SECRET", "PUBLIC_URL"):
        monkeypatch.delenv(f"HOSTWRIGHT_{name}", raising=False)
    monkeypatch.setenv("HOSTWRIGHT_ROOT", str(tmp_path))
    (tmp_path / "resources.yaml").write_text("grammar: 1\nsite: {name: Test}\n")
    assert run("db", "upgrade").exit_code == 0
    make("--username", "ann", "--email", "ann@x.org")
    assert run("user", "reset-link", "ann").stdout.startswith(
        "http://127.0.0.1:8000/api/auth/reset-password?"
    )


@pytest.mark.usefixtures("root")
def test_account_is_shown_whole() -> None:
    make("--username", "ann", "--email", "ann@x.org")
    shown = json.loads(run("user", "show", "ann@x.org").stdout)
    assert (shown["username"], shown["sessions"], shown["keys"], shown["identities"]) == ("ann", 0, [], [])


@pytest.mark.usefixtures("root")
def test_account_is_removed_on_confirmation() -> None:
    make("--username", "ann")
    assert run("user", "delete", "ann", typed="n\n").exit_code == 1
    assert [row["username"] for row in listed()] == ["ann"]
    assert "ann has been removed." in run("user", "delete", "ann", typed="y\n").stdout
    assert listed() == []


@pytest.mark.usefixtures("root")
def test_keys_are_made_listed_and_revoked() -> None:
    make("--username", "ann")
    made = run("key", "create", "ann", "--name", "nightly", "--scope", "host.account:me", "--days", "30")
    text = made.stdout.strip()
    assert text.startswith("hw_")
    (key,) = json.loads(run("key", "list", "--json").stdout)
    assert (key["name"], key["account"], key["scopes"]) == ("nightly", "ann", ["host.account:me"])
    assert key["expires_at"] is not None
    assert text.rpartition("_")[2] not in run("key", "list").stdout
    assert run("key", "revoke", text).stdout == "The key is refused within seconds.\n"
    assert json.loads(run("key", "list", "ann", "--json").stdout) == []
    assert run("key", "revoke", text).stderr == "Error: there is no such key\n"


@pytest.mark.usefixtures("root")
def test_strange_scope_is_one_sentence() -> None:
    make("--username", "ann")
    failed = run("key", "create", "ann", "--name", "x", "--scope", "nothing.here:list")
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert failed.stderr == "Error: there is no plugin 'nothing'\n"


@pytest.mark.usefixtures("root")
def test_sessions_are_revoked_one_by_one_and_all(root: Path) -> None:
    make("--username", "ann")
    with opened(root) as door:
        ann = door.accounts.named("ann")
        ids = [door.accounts.sessions.begin(ann, "token", 3600, Visitor())[0] for _ in range(3)]
    assert all(session in run("user", "sessions", "ann").stdout for session in ids)
    assert run("user", "revoke", "ann", ids[0].upper()).stdout == "1 session ends within seconds.\n"
    assert ids[0] not in run("user", "sessions", "ann").stdout
    assert "there is no such session" in run("user", "revoke", "ann", ids[0]).output
    assert "there is no such session" in run("user", "revoke", "ann", "nonsense").output
    assert run("user", "revoke", "ann").stdout == "2 sessions end within seconds.\n"
