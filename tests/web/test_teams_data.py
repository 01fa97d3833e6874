"""What teams keep together: names in place of keys, pairs without an order, rows that have to agree with each other."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from host.web.documents import build_document
from tests.support.sites import Caller, Core, Declare

SITE = """
resources:
  board:
    path: /api/boards
    mixins: [owned, stamped]
    fields: {title: string}
    query: {default_sort: -created_at, search: [title]}
    access: owner
    wire:
      list: {key: boards}
      page: {unpaged: 2}
      parameters: {words: {operator: search}, search: {operator: phrase}}
  tag:
    path: /api/boards/{board}/tags
    fields: {name: {type: string, max: 8, required: true, trim: true}, color: {type: string, default: grey}}
    relations: {board: {to: board, required: true, on_delete: cascade}}
    unique: [{fields: [board, name], lower: [name]}]
    access: {read: "board.owner == me", create: "board.owner == me and name != 'never'", write: "board.owner == me"}
  card:
    path: /api/boards/{board}/cards
    fields: {title: {type: string, required: true}}
    relations:
      board: {to: board, required: true, on_delete: cascade}
      tags: {to: tag, many: true, match: {field: name, create: true}}
      known: {to: tag, many: true, match: name}
    access: "board.owner == me"
    wires:
      main: {}
      rich: {path: "/api/rich/{board}/cards", embed: {tags: [name, color]}}
      flat: {path: /api/cards, operations: [list, get, create, update]}
  arrow:
    path: /api/boards/{board}/arrows
    fields: {label: string}
    relations:
      board: {to: board, required: true, on_delete: cascade}
      source: {to: card, required: true, on_delete: cascade, same: board}
      target: {to: card, required: true, on_delete: cascade, same: board}
    unique: [{fields: [board, source, target], unordered: [source, target]}]
    access: "board.owner == me"
    wires:
      main: {}
      flat: {path: /api/arrows}
      old: {path: "/api/old/{board}/arrows", operations: [create], errors: {status: {duplicate: 400, invalid: 400}}}
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE)


@pytest.fixture
def ann(core: Core) -> Caller:
    return core.user()


def made(caller: Caller, path: str, **values: Any) -> dict[str, Any]:
    answer = caller.post(path, values)
    assert answer.status == 201, answer.body
    return dict(answer.json)


def board(caller: Caller, title: str = "B") -> str:
    return str(made(caller, "/api/boards", title=title)["id"])


def names(caller: Caller, parent: str) -> list[str]:
    return sorted(row["name"] for row in caller.get(f"/api/boards/{parent}/tags").json["items"])


# --- names in place of keys -------------------------------------------------------------------------------------------


def test_names_are_found_or_made(ann: Caller) -> None:
    here = board(ann)
    made(ann, f"/api/boards/{here}/tags", name="Red")
    card = made(ann, f"/api/boards/{here}/cards", title="C", tags=["red", " ", "Blue", "blue", ""])
    assert card["tags"] == ["Blue", "Red"]
    assert names(ann, here) == ["Blue", "Red"]
    path = f"/api/boards/{here}/cards/{card['id']}"
    assert ann.patch(path, {"title": "D"}).json["tags"] == ["Blue", "Red"]
    assert ann.patch(path, {"tags": ["green"]}).json["tags"] == ["green"]
    assert ann.get(path.replace("boards", "rich")).json["tags"] == [{"name": "green", "color": "grey"}]
    assert ann.patch(path, {"tags": []}).json["tags"] == []


def test_names_belong_to_their_parent(ann: Caller) -> None:
    here, there = board(ann), board(ann)
    for parent in (here, there):
        made(ann, f"/api/boards/{parent}/cards", title="C", tags=["same"])
    assert names(ann, here) == names(ann, there) == ["same"]


def test_unknown_names_are_refused_where_none_are_made(ann: Caller) -> None:
    here = board(ann)
    path = f"/api/boards/{here}/cards"
    refused = ann.post(path, {"title": "C", "tags": ["new"], "known": ["other"]})
    assert (refused.status, refused.pointers) == (422, ["/known"])
    assert names(ann, here) == []  # nothing is left of what was made before
    assert made(ann, path, title="C", tags=["new"], known=["NEW"])["known"] == ["new"]


def test_made_rows_keep_their_own_rules(ann: Caller) -> None:
    path = f"/api/boards/{board(ann)}/cards"
    assert ann.post(path, {"title": "C", "tags": ["never"]}).status == 403
    assert ann.post(path, {"title": "C", "tags": ["much too long"]}).pointers == ["/tags/0"]


def test_same_name_of_two_writers_is_one_row(core: Core, ann: Caller) -> None:
    here, together = board(ann), Barrier(4)

    def write(number: int) -> int:
        together.wait()
        given = ["b", "A"] if number % 2 else ["a", "B"]
        return ann.post(f"/api/boards/{here}/cards", {"title": str(number), "tags": given}).status

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(write, range(4))) == [201] * 4
    assert sorted(name.lower() for name in names(ann, here)) == ["a", "b"]


def test_names_are_documented(core: Core) -> None:
    schemas = build_document(core.site.app)["components"]["schemas"]
    assert schemas["SiteCardCreate"]["properties"]["tags"]["items"]["maxLength"] == 8


# --- pairs without an order -------------------------------------------------------------------------------------------


def cards(caller: Caller, parent: str, count: int = 2) -> list[str]:
    return [made(caller, f"/api/boards/{parent}/cards", title=str(at))["id"] for at in range(count)]


def test_reverse_pair_is_a_duplicate(ann: Caller) -> None:
    here = board(ann)
    one, other = cards(ann, here)
    path = f"/api/boards/{here}/arrows"
    made(ann, path, source=one, target=other)
    for source, target in ((one, other), (other, one)):
        refused = ann.post(path, {"source": source, "target": target})
        assert (refused.status, refused.json["code"]) == (409, "duplicate")
        assert refused.pointers == ["/board", "/source", "/target"]
    assert ann.post(f"/api/old/{here}/arrows", {"source": other, "target": one}).status == 400


def test_racing_reverse_pairs_leave_one(ann: Caller) -> None:
    here = board(ann)
    for one, other in zip(cards(ann, here, 5), cards(ann, here, 5), strict=True):
        together = Barrier(2)

        def write(pair: tuple[str, str], together: Barrier = together) -> int:
            together.wait()
            return ann.post(f"/api/boards/{here}/arrows", {"source": pair[0], "target": pair[1]}).status

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(write, [(one, other), (other, one)])) == [201, 409]


# --- rows that have to agree ------------------------------------------------------------------------------------------


def test_related_rows_have_the_same_parent(ann: Caller) -> None:
    here, there = board(ann), board(ann)
    one, other = cards(ann, here)
    foreign = cards(ann, there)[0]
    path = f"/api/boards/{here}/arrows"
    assert ann.post(path, {"source": one, "target": foreign}).pointers == ["/target"]
    assert ann.post(f"/api/old/{here}/arrows", {"source": foreign, "target": one}).status == 400
    row = made(ann, path, source=one, target=other)
    assert ann.patch(f"{path}/{row['id']}", {"source": foreign}).pointers == ["/source"]
    assert ann.patch(f"/api/arrows/{row['id']}", {"board": there}).pointers == ["/source", "/target"]
    assert ann.post(f"{path}/import?format=ndjson", {"source": one, "target": foreign}).status == 422


# --- lists as existing clients know them ------------------------------------------------------------------------------


def test_unpaged_list_is_its_key_alone(ann: Caller) -> None:
    assert ann.get("/api/boards").json == {"boards": []}
    for title in ("old", "middle", "new"):
        board(ann, title)
    answer = ann.get("/api/boards")
    assert [row["title"] for row in answer.json["boards"]] == ["new", "middle"]
    assert (answer.json.keys(), answer.headers["X-Total-Count"]) == ({"boards"}, "3")
    link = answer.headers["Link"].partition(">")[0].lstrip("<")
    assert [row["title"] for row in ann.get(link).json["boards"]] == ["old"]


def test_search_has_other_names(ann: Caller) -> None:
    for title in ("Red Fox", "Fox of Red"):
        board(ann, title)
    found = {query: len(ann.get(f"/api/boards?{query}").json["boards"]) for query in QUERIES}
    assert found == {"words=red+fox": 2, "search=red+fox": 1, "search=ed+f": 1, "search=": 2, "q=of": 1}
    assert ann.get("/api/boards?search=a&search=b").pointers == ["search"]


QUERIES = ("words=red+fox", "search=red+fox", "search=ed+f", "search=", "q=of")
