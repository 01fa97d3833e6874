"""A database that Django created is adopted, and both systems use it side by side: each reads what the other writes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from host.auth import hashes
from host.cli import main
from host.testing.sites import Site
from tests.support.sites import Caller, Core

LEGACY = Path(__file__).parents[1] / "support" / "legacy"
ANN, BOB = "an unlikely frase 71", "another unlikely frase"
ROWS = f"""
make_tables()
from datetime import datetime, timezone
ann = User.objects.create_user("ann", "ann@example.org", {ANN!r}, first_name="Ann")
bob = User.objects.create_user("Bob", "bob@example.org", {BOB!r})
board = Investigation.objects.create(code="K7QX2M9A", title="The painting", created_by=ann)
InvestigationMember.objects.create(investigation=board, user=ann, role="owner")
InvestigationMember.objects.create(investigation=board, user=bob, last_seen=datetime(2025, 1, 31, 14, 30, tzinfo=timezone.utc))
porter = Entity.objects.create(investigation=board, entity_type="person", title="Porter", created_by=ann, is_timeslot=True,
    event_date=datetime(2025, 1, 31, 14, 30, 0, 123456, tzinfo=timezone.utc),
    event_end_date=datetime(2025, 2, 1, tzinfo=timezone.utc))
vault = Entity.objects.create(investigation=board, entity_type="location", title="Vault", created_by=bob)
tag = Tag.objects.create(investigation=board, name="Night", color="#ff0000")
porter.tags.add(tag)
Link.objects.create(investigation=board, from_entity=porter, to_entity=vault, title="guards", created_by=ann)
Comment.objects.create(entity=porter, author=bob, content="He was there.")
out = {{"board": board.id, "porter": porter.id, "vault": vault.id, "ann": ann.id, "bob": bob.id, "tag": tag.id}}
"""


@dataclass(eq=False)
class Both:
    """The two systems over one database."""

    root: Path
    url: str

    def django(self, code: str) -> Any:
        """What the legacy system answers: it runs the code in a process of its own."""
        done = subprocess.run(
            [sys.executable, str(LEGACY)], input=code, capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, "DATABASE_URL": self.url, "PYTHONWARNINGS": "default"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def hostwright(self, *words: str) -> Result:
        """A command of the host."""
        environ = {"HOSTWRIGHT_DATABASE_URL": self.url, "HOSTWRIGHT_ROOT": str(self.root)}
        return CliRunner().invoke(main, words, env=environ)

    def adopt(self, *options: str) -> Result:
        """`hostwright db adopt investigations`."""
        return self.hostwright("db", "adopt", "investigations", *options)

    @cached_property
    def host(self) -> Core:
        """The host, running."""
        return Core(Site.make(self.root, self.url))

    def sign_in(self, name: str, password: str) -> Caller:
        """A session over HTTP."""
        reply = self.host.anonymous.post("/api/auth/login", {"username": name, "password": password})
        assert reply.status == 200, reply.body
        return Caller(self.host.door, reply.json["token"])

    def close(self) -> None:
        """Give back every connection."""
        if "host" in self.__dict__:
            self.host.site.close()


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashes, "PBKDF2_ROUNDS", 1000)


Copy = Callable[[Path, str | None], Both]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def copy(request: pytest.FixtureRequest) -> Iterator[Copy]:
    """`copy(folder, template)` is a site whose plugin is to take over a copy of a database, or an empty one."""
    made: list[Both] = []
    names: list[str] = []

    def make(folder: Path, template: str | None) -> Both:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "resources.yaml").write_text("grammar: 1\nsite: {name: Board, plugins: [investigations]}\n")
        url = f"sqlite:///{folder / 'board.db'}"
        if request.param == "postgresql":
            names.append(next(request.getfixturevalue("postgres_names")))
            parent = "template1" if template is None else sa.make_url(template).database
            url = request.getfixturevalue("postgres_server").create(names[-1], parent)
        elif template is not None:
            shutil.copy(template.removeprefix("sqlite:///"), folder / "board.db")
        made.append(Both(folder, url))
        return made[-1]

    yield make
    for both in made:
        both.close()
    for name in reversed(names):
        request.getfixturevalue("postgres_server").drop(name)


@pytest.fixture(scope="module")
def filled(copy: Copy, tmp_path_factory: pytest.TempPathFactory) -> tuple[Both, dict[str, Any]]:
    """A database of Django's with rows, nobody else's yet."""
    both = copy(tmp_path_factory.mktemp("legacy"), None)
    return both, both.django(ROWS)


@pytest.fixture(scope="module")
def taken(
    copy: Copy, filled: tuple[Both, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Both, dict[str, Any]]:  # fmt: skip
    """The same, taken over."""
    both = copy(tmp_path_factory.mktemp("taken"), filled[0].url)
    found = both.adopt()
    assert found.exit_code == 0, found.output
    upgraded = both.hostwright("db", "upgrade")
    assert upgraded.exit_code == 0, upgraded.output
    return both, filled[1]


@pytest.fixture
def legacy(copy: Copy, filled: tuple[Both, dict[str, Any]], tmp_path: Path) -> Both:
    """A copy of Django's database, for one test."""
    return copy(tmp_path, filled[0].url)


@pytest.fixture
def adopted(
    copy: Copy, taken: tuple[Both, dict[str, Any]], tmp_path: Path
) -> tuple[Both, dict[str, Any]]:  # fmt: skip
    """A copy of the database that was taken over, for one test."""
    return copy(tmp_path, taken[0].url), taken[1]


def test_adopting_twice_changes_nothing(adopted: tuple[Both, dict[str, Any]]) -> None:
    both, _ = adopted
    again = both.adopt()
    assert (again.exit_code, again.output.splitlines()[-1]) == (
        0, "Nothing to do: investigations was adopted before.",
    )  # fmt: skip
    assert both.hostwright("db", "plan").output == "Nothing to do: the database matches the declarations.\n"
    checked = both.hostwright("db", "check")
    assert checked.exit_code == 0, checked.output


def test_dry_run_only_tells(legacy: Both) -> None:
    told = legacy.adopt("--dry-run", "--format", "json")
    found = json.loads(told.output)
    assert (told.exit_code, found["outcome"]) == (0, "would adopt")
    assert {each["kind"] for each in found["findings"]} == {"compatible", "additive"}
    assert json.loads(legacy.adopt("--format", "json").output)["outcome"] == "adopted"
    assert not any(
        each["kind"] == "additive" for each in json.loads(legacy.adopt("--format", "json").output)["findings"]
    )


def test_passwords_serve_both_systems(adopted: tuple[Both, dict[str, Any]]) -> None:
    both, made = adopted
    told = both.sign_in("ann", ANN).get("/api/auth/me").json
    assert (told["number"], told["email"], told["first_name"]) == (made["ann"], "ann@example.org", "Ann")
    assert both.sign_in("bob@example.org", BOB).get("/api/auth/me").json["username"] == "Bob"
    wrong = both.host.anonymous.post("/api/auth/login", {"username": "ann", "password": BOB})
    assert wrong.status == 401
    assert both.django(
        "ann = User.objects.get(username='ann')\n"
        f"out = [ann.check_password({ANN!r}), ann.password[:13], ann.last_login is not None]"
    ) == [True, "pbkdf2_sha256", True]
    both.django(
        "ann = User.objects.get(username='ann'); ann.set_password('a third frase altogether'); ann.save()"
    )
    assert both.sign_in("ann", "a third frase altogether")
    both.django("User.objects.filter(username='Bob').update(is_active=False)")
    assert both.host.anonymous.post("/api/auth/login", {"username": "Bob", "password": BOB}).status == 401


def test_both_systems_add_users(adopted: tuple[Both, dict[str, Any]]) -> None:
    both, made = adopted
    body = {"username": "eve", "email": "eve@example.org", "password": "neither of these frases"}
    assert both.host.anonymous.post("/api/auth/register", body).status == 201
    eve, dan = both.django(
        "eve = User.objects.get(username='eve'); dan = User.objects.create_user('dan', 'd@example.org', 'frase of dan 77')\n"
        "out = [eve.id, dan.id] if eve.check_password('neither of these frases') else None"
    )
    assert (eve, dan) == (made["bob"] + 1, made["bob"] + 2)
    assert both.sign_in("dan", "frase of dan 77").get("/api/auth/me").json["number"] == dan
    assert (
        both.host.anonymous.post(
            "/api/auth/register", {**body, "username": "DAN", "email": "x@example.org"}
        ).status
        == 409
    )


def test_host_reads_rows_of_django(adopted: tuple[Both, dict[str, Any]]) -> None:
    both, made = adopted
    ann = both.sign_in("ann", ANN)
    boards = ann.get("/api/investigations").json["investigations"]
    assert [(each["id"], each["code"], each["member_count"], each["created_by"]) for each in boards] == [
        (made["board"], "K7QX2M9A", 2, "ann")
    ]
    entities = ann.get(f"/api/investigations/{made['board']}/entities").json["entities"]
    assert [each["title"] for each in entities] == ["Vault", "Porter"]
    porter = entities[1]
    assert (porter["id"], porter["event_date"], porter["is_timeslot"]) == (
        made["porter"], "2025-01-31T14:30:00.123456Z", True,
    )  # fmt: skip
    assert porter["event_end_date"].startswith("2025-02-01T00:00:00") and porter["event_end_date"].endswith(
        "Z"
    )
    assert (porter["comments_count"], porter["tags"]) == (
        1,
        [{"id": made["tag"], "name": "Night", "color": "#ff0000"}],
    )
    links = ann.get(f"/api/investigations/{made['board']}/links").json["links"]
    assert [(each["from_entity"]["id"], each["to_entity"]["title"]) for each in links] == [
        (made["porter"], "Vault")
    ]
    members = ann.get(f"/api/investigations/{made['board']}/members").json["members"]
    assert [each["username"] for each in members] == ["ann", "Bob"]


def test_django_reads_rows_of_host(adopted: tuple[Both, dict[str, Any]]) -> None:
    both, made = adopted
    bob = both.sign_in("bob", BOB)
    path = f"/api/investigations/{made['board']}/entities"
    body = {
        "type": "event",
        "title": "Theft",
        "event_date": "2025-03-01T10:00:00.5+01:00",
        "tags": ["night", "Roof"],
    }
    made_here = bob.make(path, **body)["id"]
    told = both.django(
        f"it = Entity.objects.get(id='{made_here}')\n"
        "out = [it.title, it.event_date.isoformat(), it.created_by.username, sorted(t.name for t in it.tags.all()), str(it.id),"
        " it.description, it.is_timeslot, it.event_end_date, it.created_at.tzinfo is not None]"
    )
    assert told == [
        "Theft",
        "2025-03-01T09:00:00.500000+00:00",
        "Bob",
        ["Night", "Roof"],
        made_here,
        "",
        False,
        None,
        True,
    ]
    ordered = both.django("out = [each.title for each in Entity.objects.order_by('-created_at')]")
    assert (
        ordered == [each["title"] for each in bob.get(path).json["entities"]] == ["Theft", "Vault", "Porter"]
    )
    found = both.django(
        "out = Entity.objects.filter(event_date__gt='2025-02-28T00:00Z', event_date__lt='2025-03-02T00:00Z').count()"
    )
    assert found == 1
    assert bob.put(f"{path}/{made['porter']}", {"title": "Doorman"}).status == 200
    assert both.django(f"out = Entity.objects.get(id='{made['porter']}').title") == "Doorman"


def test_rows_added_later_are_seen(adopted: tuple[Both, dict[str, Any]]) -> None:
    both, made = adopted
    ann = both.sign_in("ann", ANN)
    both.django(
        "board = Investigation.objects.get(); user = User.objects.get(username='ann')\n"
        "Entity.objects.create(investigation=board, entity_type='evidence', title='Glove', created_by=user)"
    )
    titles = [
        each["title"] for each in ann.get(f"/api/investigations/{made['board']}/entities").json["entities"]
    ]
    assert titles == ["Glove", "Vault", "Porter"]


def test_additions_hold_for_both_systems(adopted: tuple[Both, dict[str, Any]]) -> None:
    both, made = adopted
    ann = both.sign_in("ann", ANN)
    path = f"/api/investigations/{made['board']}/links"
    reverse = {"from_entity_id": made["vault"], "to_entity_id": made["porter"], "title": "guarded by"}
    assert ann.post(path, reverse).status in (400, 409)
    assert ann.post(path, {**reverse, "to_entity_id": made["vault"]}).status in (400, 422)
    refused = both.django(
        "from django.db import IntegrityError, transaction\nout = []\nlink = Link.objects.get()\n"
        "pairs = [(link.to_entity, link.from_entity), (link.to_entity, link.to_entity)]\n"
        "makers = [lambda p=p: Link.objects.create(investigation=link.investigation, from_entity=p[0], to_entity=p[1], title='x',"
        " created_by=link.created_by) for p in pairs]\n"
        "makers.append(lambda: Tag.objects.create(investigation=link.investigation, name='NIGHT'))\n"
        "for make in makers:\n"
        "    try:\n        with transaction.atomic(): make()\n    except IntegrityError: out.append('refused')"
    )
    assert refused == ["refused"] * 3


TABLES = "Investigation, InvestigationMember, Entity, Link, Tag, Comment, Attachment, Entity.tags.through"


def test_deleting_takes_dependents_along(adopted: tuple[Both, dict[str, Any]]) -> None:
    both, made = adopted
    ann = both.sign_in("ann", ANN)
    path = f"/api/investigations/{made['board']}"
    ann.make(f"{path}/entities", type="person", title="Thief", tags=["new"])
    assert ann.delete(f"{path}/entities/{made['porter']}").status == 200
    assert both.django(f"out = [each.objects.count() for each in ({TABLES})]") == [1, 2, 2, 0, 2, 0, 0, 1]
    assert ann.delete(path).status in (200, 204)
    assert both.django(f"out = [each.objects.count() for each in ({TABLES})]") == [0] * 8
    assert both.django("out = User.objects.count()") == 2


def test_django_deletes_rows_of_host(adopted: tuple[Both, dict[str, Any]]) -> None:
    both, made = adopted
    ann = both.sign_in("ann", ANN)
    ann.make(f"/api/investigations/{made['board']}/entities", type="person", title="Thief", tags=["new"])
    both.django("Investigation.objects.all().delete()")
    assert ann.get("/api/investigations").json["investigations"] == []
    both.django("User.objects.get(username='ann').delete()")
    wrong = both.host.anonymous.post("/api/auth/login", {"username": "ann", "password": ANN})
    assert wrong.status == 401


def test_contradicting_rows_are_listed(legacy: Both) -> None:
    legacy.django(
        "link = Link.objects.get(); board = link.investigation\n"
        "pair = {'from_entity': link.to_entity, 'to_entity': link.from_entity}\n"
        "Link.objects.create(investigation=board, title='back', created_by=link.created_by, **pair)\n"
        "for at in range(25):\n"
        "    for name in (f'tag{at:02}', f'TAG{at:02}'): Tag.objects.create(investigation=board, name=name)"
    )
    before = legacy.django("from django.db import connection; out = connection.introspection.table_names()")
    refused = legacy.adopt()
    assert refused.exit_code == 1
    lines = refused.output.splitlines()
    assert lines[-1] == "Refused: 2 differences are in the way of investigations; nothing has been changed."
    assert "    25 cases contradict it:" in lines
    assert "      and 5 more" in lines
    assert "    1 case contradicts it:" in lines
    assert sum(line.endswith("(2 rows)") for line in lines) == 21
    assert (
        legacy.django("from django.db import connection; out = connection.introspection.table_names()")
        == before
    )


def test_other_tables_are_refused_with_advice(legacy: Both) -> None:
    change = "ALTER TABLE investigation_comment RENAME COLUMN content TO body"
    legacy.django(f"from django.db import connection\nconnection.cursor().execute({change!r})")
    refused = legacy.adopt("--format", "json")
    found = json.loads(refused.output)
    assert (refused.exit_code, found["outcome"]) == (1, "refused")
    told = [(each["what"], each["advice"]) for each in found["findings"] if each["kind"] == "incompatible"]
    assert told == [
        ("has no column content, which is required",
         "the other system could not fill it: declare it `nullable: true`, or add it there"),
        ("has a column body that is required and not declared",
         "declare it as a field with a default: the host could make no rows without it"),
    ]  # fmt: skip


def test_clashing_numbers_are_refused(legacy: Both) -> None:
    (legacy.root / "resources.yaml").write_text("grammar: 1\nsite: {name: Board, plugins: []}\n")
    assert legacy.hostwright("db", "upgrade").exit_code == 0
    environ = {"HOSTWRIGHT_DATABASE_URL": legacy.url, "HOSTWRIGHT_ROOT": str(legacy.root)}
    words = ["user", "create", "--username", "root", "--email", "root@example.org", "--password-stdin"]
    made = CliRunner().invoke(main, words, env=environ, input="quite a long frase\n")
    assert made.exit_code == 0, made.output
    (legacy.root / "resources.yaml").write_text(
        "grammar: 1\nsite: {name: Board, plugins: [investigations]}\n"
    )
    refused = legacy.adopt()
    assert refused.exit_code == 1
    assert "the account root has the number 1, which in investigation_user is ann" in refused.output
    legacy.django("User.objects.filter(username='ann').delete()")
    adopted = legacy.adopt()
    assert adopted.exit_code == 0, adopted.output
    assert "1 account has got a row in the user table." in adopted.output
    assert legacy.sign_in("root", "quite a long frase").get("/api/auth/me").json["number"] == 1
    assert (
        legacy.django("out = User.objects.get(username='root').check_password('quite a long frase')") is True
    )


def test_upgrade_takes_nothing_over_in_passing(legacy: Both) -> None:
    refused = legacy.hostwright("db", "upgrade")
    assert refused.exit_code != 0
    assert "run `hostwright db adopt investigations` first" in refused.output + refused.stderr
    tables = legacy.django("from django.db import connection\nout = connection.introspection.table_names()")
    assert not [name for name in tables if name.startswith("host_")]
