"""Full-text search over HTTP: what is found, in which order, by whom, and that every write is followed."""

from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from host.cli.search import search
from tests.support.sites import Caller, Core, Declare

SITE = """
resources:
  shelf:
    plural: shelves
    mixins: [owned]
    fields: {title: string}
    access: {read: authenticated, write: owner, create: authenticated}
  book:
    mixins: [owned, soft_delete]
    fields:
      title: {type: string, required: true}
      notes: text
      hint: {type: string, read: "role('admin')"}
      year: integer
    relations: {shelf: {to: shelf, on_delete: cascade}}
    query:
      filter: [year, shelf]
      sort: [title, year]
      default_sort: title
      search: {fields: {title: A, notes: B, hint: C}}
      expand: [shelf]
      page: {default: 50, max: 200}
    access: {read: "owner or role('admin')", write: owner, create: authenticated}
    wires:
      main: {}
      old:
        path: /api/old/books
        parameters: {find: {operator: search}, exact: {operator: phrase}}
        list: {form: array, sort: [title]}
  place:
    key: [country, name]
    fields: {country: {type: string, required: true}, name: {type: string, required: true}, story: text}
    query: {search: {fields: {name: A, story: D}}, sort: [name]}
    access: public
  line:
    key: int
    path: /api/shelves/{shelf}/lines
    fields: {text: string}
    relations: {shelf: {to: shelf, required: true, on_delete: cascade}}
    query: {search: {fields: {text: A}}}
    access: authenticated
"""
BOOKS = "/api/books"


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE)


@pytest.fixture
def ann(core: Core) -> Caller:
    """An account of its own for each test."""
    return core.user()


def titles(caller: Caller, query: str, path: str = BOOKS, more: str = "") -> list[str]:
    """The titles of what is found, in order."""
    reply = caller.get(f"{path}?q={quote(query)}{more}")
    assert reply.status == 200, reply.body
    return [row["title"] for row in reply.json["items"]]


def add(caller: Caller, *books: str, **more: Any) -> list[dict[str, Any]]:
    return [caller.make(BOOKS, title=title, **more) for title in books]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("cafe", ["Café au lait", "CAFE noir"]),
        ("CAFÉ", ["Café au lait", "CAFE noir"]),
        ("caf", []),
        ("caf*", ["Café au lait", "CAFE noir"]),
        ("lait café", ["Café au lait"]),
        ('"café au"', ["Café au lait"]),
        ('"au café"', []),
        ('"café a*"', []),
        ("cafe -noir", ["Café au lait"]),
        ('-cafe -"x-ray', ["Straße AND NOT", "東京タワー"]),
        ("strasse", ["Straße AND NOT"]),
        ("AND", ["Straße AND NOT"]),
        ("NOT AND", ["Straße AND NOT"]),
        ("o'brien", ["X-Ray O'Brien"]),
        ("x ray", ["X-Ray O'Brien"]),
        ("ray-x", []),
        ("'; drop table books; --", []),
        ("NEAR(cafe noir)", []),
        ("title : cafe", []),
        ("a:b ^ (x) {y} | ! & <-> :*", []),
        ('"""', []),
        ("京タ", ["東京タワー"]),
        ("京ワ", []),
        ("!!! -- *", []),
        ("   ", ["CAFE noir", "Café au lait", "Straße AND NOT", "X-Ray O'Brien", "東京タワー"]),
    ],
)
def test_query_finds_these(core: Core, query: str, found: list[str], library: Caller) -> None:
    assert sorted(titles(library, query)) == sorted(found)


@pytest.fixture(scope="module")
def library(core: Core) -> Caller:
    """Somebody with five books."""
    caller = core.user()
    add(caller, "CAFE noir", "Café au lait", "Straße AND NOT", "X-Ray O'Brien", "東京タワー")
    return caller


def test_best_match_comes_first(ann: Caller) -> None:
    add(ann, "Apple", "Melon")
    ann.make(BOOKS, title="Berry", notes="an apple")
    ann.make(BOOKS, title="Cherry", notes="apple and apple, apple")
    ann.make(BOOKS, title="Apple apple")
    assert titles(ann, "apple") == ["Apple apple", "Apple", "Cherry", "Berry"]
    assert titles(ann, "apple", more="&sort=title") == ["Apple", "Apple apple", "Berry", "Cherry"]
    assert titles(ann, "-apple") == ["Melon"]


def test_write_is_followed_by_index(ann: Caller) -> None:
    (book,) = add(ann, "Winter", notes="snow")
    path = f"{BOOKS}/{book['id']}"
    assert titles(ann, "winter snow") == ["Winter"]
    assert ann.patch(path, {"notes": "rain"}).status == 200
    assert (titles(ann, "winter rain"), titles(ann, "snow")) == (["Winter"], [])
    assert ann.patch(path, {"notes": None}).status == 200
    assert (titles(ann, "rain"), titles(ann, "winter")) == ([], ["Winter"])
    assert ann.delete(path).status == 204
    assert titles(ann, "winter") == []


def test_bulk_and_import_are_indexed(ann: Caller) -> None:
    rows = [{"title": f"Volume {number}", "notes": "imported"} for number in range(30)]
    assert ann.post(f"{BOOKS}/import", rows).status == 200
    assert len(titles(ann, "volume imported")) == 30
    assert titles(ann, "volume 17") == ["Volume 17"]


def test_pages_of_best_matches_are_whole(ann: Caller) -> None:
    for number in range(12):
        ann.make(BOOKS, title=f"Page {number:02}", notes="page " * (number % 3))
    seen: list[str] = []
    path: str | None = f"{BOOKS}?q=page&page_size=5&count=exact"
    while path is not None:
        reply = ann.get(path).json
        assert reply["total"] == 12 + len(seen) // 5
        seen += [row["title"] for row in reply["items"]]
        path = f"{BOOKS}?q=page&page_size=5&count=exact&cursor={reply['next']}" if reply["next"] else None
        if path:
            ann.make(BOOKS, title="Page page page page")  # before everything that has been seen
    assert len(seen) == len(set(seen)) == 12
    assert seen[:4] == ["Page 02", "Page 05", "Page 08", "Page 11"]


def test_hidden_rows_and_fields_are_not_found(core: Core, ann: Caller) -> None:
    admin, other = core.user(role="admin"), core.user()
    with core.writing() as ctx:
        ctx.records("book").create({"title": "Plain", "hint": "treasure plain", "owner": ann.actor.id})
    assert titles(ann, "treasure") == [] == titles(other, "plain")
    assert titles(admin, "treasure") == ["Plain"]
    assert titles(ann, "plain -treasure") == ["Plain"]
    assert titles(admin, "plain -treasure") == []
    assert titles(ann, '"treasure plain"') == []


def test_search_meets_filters_and_embedding(ann: Caller) -> None:
    shelf = ann.make("/api/shelves", title="One")
    add(ann, "Sea", year=1, shelf=shelf["id"])
    add(ann, "Sea", "Seal", year=2)
    found = ann.get(f"{BOOKS}?q=sea*&year=1&expand=shelf&count=exact").json
    assert found["total"] == 1 and found["items"][0]["expand"]["shelf"]["title"] == "One"
    export = ann.get(f"{BOOKS}/export?q=sea&format=csv")
    assert export.body.decode().count("Sea") == 2
    assert [row["year"] for row in ann.get(f"{BOOKS}?q=sea*&year[gte]=2&sort=year,title").json["items"]] == [
        2,
        2,
    ]


def test_wire_names_its_own_parameters(ann: Caller) -> None:
    add(ann, "Red wine", "Wine of red", "Red")
    assert [row["title"] for row in ann.get("/api/old/books?find=red%20wine").json] == [
        "Red wine",
        "Wine of red",
    ]
    assert [row["title"] for row in ann.get("/api/old/books?exact=red+wine").json] == ["Red wine"]
    assert [row["title"] for row in ann.get("/api/old/books?exact=-red+wine*").json] == ["Red wine"]
    assert [row["title"] for row in ann.get("/api/old/books?find=red&exact=wine").json] == [
        "Red wine",
        "Wine of red",
    ]


@pytest.mark.parametrize("query", ["a " * 101, "a b c d e f g h i j k", "x" * 201])
def test_long_query_is_refused(ann: Caller, query: str) -> None:
    reply = ann.get(f"{BOOKS}?q={quote(query)}")
    assert (reply.status, reply.json["errors"][0]["code"]) == (422, "too_long")


def test_rows_of_several_keys_are_found(core: Core) -> None:
    caller = core.anonymous
    caller.make("/api/places", country="fr", name="Nîmes", story="arena")
    caller.make("/api/places", country="it", name="Nimes")
    assert [row["country"] for row in caller.get("/api/places?q=nimes").json["items"]] == ["fr", "it"]
    assert [row["country"] for row in caller.get("/api/places?q=nimes+arena").json["items"]] == ["fr"]
    assert caller.patch("/api/places/fr/N%C3%AEmes", {"story": "temple"}).status == 200
    assert [row["country"] for row in caller.get("/api/places?q=temple").json["items"]] == ["fr"]


def test_rows_below_a_parent_are_found(ann: Caller) -> None:
    one, two = (ann.make("/api/shelves", title=title)["id"] for title in ("One", "Two"))
    ann.make(f"/api/shelves/{one}/lines", text="first word")
    ann.make(f"/api/shelves/{two}/lines", text="second word")
    assert ann.post(f"/api/shelves/{two}/lines/import", [{"text": "third word"}]).status == 200
    for shelf, found in ((one, ["first word"]), (two, ["second word", "third word"])):
        rows = ann.get(f"/api/shelves/{shelf}/lines?q=word").json["items"]
        assert [row["text"] for row in rows] == found
    assert ann.delete(f"/api/shelves/{two}").status == 204


def test_words_go_with_their_row(core: Core, ann: Caller) -> None:
    shelf = ann.make("/api/shelves", title="Gone")["id"]
    line = ann.make(f"/api/shelves/{shelf}/lines", text="vanishing")
    assert ann.delete(f"/api/shelves/{shelf}/lines/{line['id']}").status == 204
    again = ann.make(f"/api/shelves/{shelf}/lines", text="other")
    found = ann.get(f"/api/shelves/{shelf}/lines?q=vanishing").json["items"]
    assert found == [] and again["text"] == "other"  # SQLite gives the number again
    assert kept(core, "line", "vanishing") == 0


def kept(core: Core, resource: str, word: str) -> int:
    """How many rows of words there are with a word."""
    index = core.site.runtime.registry.models[f"site.{resource}"].search
    assert index is not None
    sql = f"SELECT count(*) FROM \"{index.table.name}\" WHERE CAST(words AS TEXT) LIKE '%%{word}%%'"
    with core.site.database.engine.connect() as connection:
        return int(connection.exec_driver_sql(sql).scalar_one())


def test_refused_write_leaves_no_words(core: Core, ann: Caller) -> None:
    with pytest.raises(RuntimeError), core.writing() as ctx:
        ctx.records("place").create({"country": "de", "name": "Undone"})
        raise RuntimeError
    assert kept(core, "place", "undone") == 0


def test_command_makes_words_anew(core: Core, ann: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = core.site.app.settings
    monkeypatch.setenv("HOSTWRIGHT_DATABASE_URL", settings.database_url)

    def run(*words: str) -> Any:
        return CliRunner().invoke(search, ["rebuild", *words, "--root", str(settings.root)])

    (book,) = add(ann, "Raw")
    with core.site.database.writing() as connection:
        sql = sa.text("UPDATE site_book SET notes = 'underneath' WHERE title = 'Raw'")
        connection.execute(sql)
    assert titles(ann, "underneath") == []
    dry = run("site.book", "--check")
    assert (dry.exit_code, dry.output) == (1, "site.book: 1 rows differ\n")
    done = run()
    assert done.exit_code == 0 and "site.place: " in done.output
    assert (titles(ann, "underneath"), run("--check").exit_code) == (["Raw"], 0)
    assert 'did you mean "site.book"?' in run("site.boook").output
    assert ann.patch(f"{BOOKS}/{book['id']}", {"notes": "above"}).status == 200
    assert titles(ann, "above -underneath") == ["Raw"]


USERS = """
resources:
  user:
    key: int
    operations: [list, get, update]
    identity: {key: number, username: username, email: email, password: password, hashes: [pbkdf2_sha256]}
    fields:
      username: {type: string, max: 150, required: true, unique: true}
      email: {type: email, required: true, unique: true}
      password: {type: string, max: 128, required: true, secret: true}
    query: {search: {fields: {username: A, email: B}}}
    access: {list: public, get: public, update: row.id == me.number}
"""


def test_users_are_found_by_what_their_account_says(declare: Declare) -> None:
    site = declare(USERS)
    actor = site.user().actor
    name = site.native("host.account", actor.id)["username"]

    def found(query: str) -> int:
        return len(site.anonymous.get(f"/api/users?q={query}").json["items"])

    assert found(name) == found(f"{name}+example") == 1
    with site.writing() as ctx:
        ctx.records("host.account").update(actor.id, {"username": "renamed"})
    assert (found("renamed"), found(f"renamed+{name}"), found(f"{name}+-renamed")) == (1, 1, 0)
