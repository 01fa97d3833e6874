"""Wires for clients that are careless: blank texts, noisy numbers, unknown keys below, query parameters of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.sites import Caller, Core, Declare

YAML = """
types: {counted: {type: object, fields: {number: integer}}}
resources:
  shelf:
    mixins: [owned]
    fields: {name: {type: string, required: true}, floor: integer}
    access: owner
  book:
    mixins: [owned]
    fields:
      title: {type: string, required: true}
      price: decimal
      printed: date
      bought: datetime
      mail: email
      kind: {type: enum, values: [novel, poem], default: novel}
      pages: {type: list, of: {type: object, fields: {number: integer, weight: decimal, text: string}}}
    relations: {shelf: {to: shelf, same_owner: true}}
    query: {filter: [kind], default_sort: title}
    access: owner
    actions:
      wait: {call: actions.wait, access: owner, detached: true, out: book}
      count: {target: collection, call: actions.count, access: authenticated, detached: true, out: counted}
    wires:
      main: {}
      loose:
        path: /api/loose
        unknown: ignore
        values: {decimal: number, lenient_dates: true, blank: none}
        names: {shelf: {name: shelf_id, accept: [shelfId]}}
        parameters:
          since: {field: bought, operator: gte}
          until: {field: bought, operator: lte}
          after: {field: bought, operator: gt}
          floor: shelf.floor
          word: {field: title, operator: contains}
"""
CODE = """
def wait(ctx, row, data):
    assert ctx.work is None
    with ctx.writing() as short:
        return short.records("book").update(row["id"], {"title": "waited"})

def count(ctx, data):
    with ctx.reading() as short:
        return {"number": short.records("book").count()}
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Iterator[Core]:
    yield declare(YAML, CODE)


@pytest.fixture
def ann(core: Core) -> Caller:
    return core.user()


def test_blank_text_means_null(ann: Caller) -> None:
    book = ann.make("/api/loose", title="", price="", printed="", bought="", mail="", shelfId="", pages="")
    assert {book[key] for key in ("price", "printed", "bought", "mail", "shelf_id", "pages")} == {None}
    assert book["title"] == ""


def test_blank_filter_asks_for_nothing(ann: Caller) -> None:
    ann.post("/api/loose", {"title": "t", "kind": "poem"})
    assert ann.get("/api/loose?kind=").json == ann.get("/api/loose").json
    assert ann.get("/api/demo/books?kind=").status == 422


def test_blank_text_is_refused_elsewhere(ann: Caller) -> None:
    assert ann.post("/api/demo/books", {"title": "", "price": "", "shelf": ""}).status == 422
    assert ann.post("/api/loose", {"title": "x", "kind": ""}).pointers == ["/kind"]


def test_numbers_are_rounded_half_up(ann: Caller) -> None:
    assert [
        ann.make("/api/loose", title="x", price=given)["price"] for given in (0.1 + 0.2, 10.184625, 1.005)
    ] == [0.3, 10.18, 1.01]
    assert ann.post("/api/loose", {"title": "x", "price": "10.184625"}).status == 422
    assert ann.post("/api/loose", {"title": "x", "price": 1e300}).status == 422


def test_unknown_keys_below_are_ignored(ann: Caller) -> None:
    pages = [{"number": 1, "weight": 0.125, "ink": "black"}]
    assert ann.make("/api/loose", title="x", pages=pages)["pages"] == [
        {"number": 1, "weight": 0.13, "text": None}
    ]
    assert ann.post("/api/demo/books", {"title": "x", "pages": pages}).pointers[-1] == "/pages/0/ink"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("since=2030-01-02", ["b", "c"]), ("until=2030-01-02", ["a", "b"]), ("after=2030-01-02", ["c"]),
        ("since=2030-01-02T23:59:59Z&until=2030-01-03", ["b", "c"]), ("floor=2", ["b"]), ("word=A", ["a"]), ("floor=9", []),
    ],
)  # fmt: skip
def test_parameters_of_a_wires_own(ann: Caller, query: str, found: list[str]) -> None:
    shelf = ann.make("/api/demo/shelfs", name="s", floor=2)["id"]
    for title, day, held in (("a", "01", None), ("b", "02", shelf), ("c", "03", None)):
        ann.make("/api/loose", title=title, bought=f"2030-01-{day}T23:59:59Z", shelf_id=held)
    assert [it["title"] for it in ann.get(f"/api/loose?{query}").json["items"]] == found


@pytest.mark.parametrize("query", ["since=soon", "floor=high", "since[gte]=2030-01-01", "wrd=x"])
def test_wrong_parameter_is_refused(ann: Caller, query: str) -> None:
    assert ann.get(f"/api/loose?{query}").pointers == [query.partition("=")[0]]


def test_parameters_belong_to_their_wire(ann: Caller) -> None:
    assert ann.get("/api/demo/books?since=2030-01-01").status == 422


def test_detached_action_opens_its_own_transactions(core: Core, ann: Caller) -> None:
    book = ann.make("/api/demo/books", title="x")
    assert ann.post(f"/api/demo/books/{book['id']}/wait").json["title"] == "waited"
    assert ann.post("/api/demo/books/count").json == {"number": 1}
    assert core.user().post(f"/api/demo/books/{book['id']}/wait").status == 404
