"""What every declared resource has to do, whoever declares it: one suite, run for each wire of a site.

A plugin's test module says `from host.testing.conformance import *`; the pytest plugin of the host supplies `conforming`,
once for each wire of the site around the module (or of the folder that the module names as `SITE`). The fixture
`conformance_samples` gives values that examples cannot tell.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from host.actor import SYSTEM
from host.compiler.answers import answer_name
from host.compiler.schemas import writable
from host.declaration.embeds import embedded_relation
from host.fields.words import words_of
from host.testing.agreement import assert_agreement
from host.testing.conforming import Conforming
from host.testing.contents import content_for, wanted_files
from host.testing.counting import counted

NUMBERS = ("integer", "float", "decimal")
TEXTS = ("string", "text", "email", "url", "uuid", "enum", "date", "time", "datetime", "duration")
HUGE = ["9" * 5000, "-9223372036854775809", "9223372036854775808", "1e999", '"1e999"', '"NaN"', "true"]
UNSOUND = ['"a\\u0000b"', '"\\ud800"', '"\\udfff x"', "[" * 50_000]


def need(conforming: Conforming, *kinds: str) -> None:
    """Skip where the wire lacks an operation that the test is about."""
    for kind in kinds:
        if conforming.operation(kind) is None:
            pytest.skip(f"no operation {kind}")


def created(conforming: Conforming) -> tuple[dict[str, Any], str]:
    """The body and the path of a row made over HTTP."""
    body = conforming.body()
    answer = conforming.create(conforming.client(conforming.writer), body)
    assert answer.status_code == conforming.wire.create.status, answer.text
    return body, answer.headers["Location"]


def test_anonymous_caller_is_refused(conforming: Conforming) -> None:
    keys, client = conforming.stored(), conforming.client(None)
    for operation in conforming.operations:
        if not operation.is_public:
            answer = client.open(conforming.filled(operation, keys), method=operation.method, json={})
            conforming.refused(answer, 401)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_foreign_row_is_hidden(conforming: Conforming) -> None:
    if conforming.rule("get") != ("owner",):
        pytest.skip("not the owner's alone")
    keys, client = conforming.stored(), conforming.client(conforming.other)
    bodies = {"PUT": "replace", "PATCH": "update", "POST": "update"}
    for operation in conforming.operations:
        if "{" not in operation.path or operation.input is not None or operation.access != ("owner",):
            continue
        only = bodies.get(operation.method) if operation.kind == "update" else None
        body = conforming.factory.body(conforming.wire, conforming.other, only=only) if only else {}
        path = conforming.filled(operation, keys)
        answer = client.open(path, method=operation.method, json=body, headers={"If-Match": "*"})
        conforming.refused(answer, conforming.status("hidden", conforming.status("not_found", 404)))


def test_foreign_row_is_not_listed(conforming: Conforming) -> None:
    need(conforming, "list")
    if conforming.rule("list") != ("owner",):
        pytest.skip("not the owner's alone")
    conforming.stored()
    answer = conforming.client(conforming.other).get(conforming.collection)
    if conforming.wire.parents and answer.status_code == 404:
        return  # what it lies below is hidden, too
    assert rows_of(conforming, answer.get_json()) == []


def test_repeated_create_runs_once(conforming: Conforming) -> None:
    need(conforming, "create")
    if wanted_files(conforming.wire):
        pytest.skip("forms differ in their boundaries")
    body, client, key = conforming.body(), conforming.client(conforming.writer), uuid4().hex
    first, again = (conforming.create(client, body, key=key) for _ in range(2))
    assert (first.status_code, again.data) == (conforming.wire.create.status, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"


def test_history_tells_what_is_shown(conforming: Conforming) -> None:
    need(conforming, "create", "history", "get")
    _, path = created(conforming)
    client = conforming.client(conforming.writer)
    shown = client.get(path).get_json()
    entries = client.get(f"{path}/history").get_json()["items"]
    assert [entry["operation"] for entry in entries] == ["create"]
    assert {change["field"] for change in entries[0]["changes"]} <= shown.keys()


def test_every_field_round_trips(conforming: Conforming) -> None:
    need(conforming, "create", "get")
    body, path = created(conforming)
    shown = conforming.client(conforming.writer).get(path).get_json()
    fields = conforming.site.runtime.registry.schemas.create(conforming.wire).fields
    for name, field in fields.items():
        key = field.data_key or name
        if key in body and key in shown:
            assert field.deserialize(shown[key]) == field.deserialize(body[key]), key


def test_answers_agree_with_their_schema(conforming: Conforming) -> None:
    assert_agreement(conforming, conforming.stored())


def test_read_only_field_cannot_be_written(conforming: Conforming) -> None:
    need(conforming, "create")
    taken = {conforming.wire.outer.get(name, name) for name in writable(conforming.wire, updating=False)}
    fixed = [conforming.wire.outer[name] for name in conforming.wire.shown]
    for key in [key for key in fixed if key not in taken and key not in conforming.wire.aliases]:
        answer = conforming.create(conforming.client(conforming.writer), {**conforming.body(), key: "7"})
        if conforming.wire.declared.unknown == "refuse":
            problem = conforming.refused(answer, conforming.status("invalid", 422))
            assert {"pointer": f"/{key}", "code": "unknown"}.items() <= problem["errors"][0].items()
        else:
            assert answer.status_code == conforming.wire.create.status, answer.text


def test_unknown_key_is_refused(conforming: Conforming) -> None:
    need(conforming, "create")
    body = {**conforming.body(), "no_such_key": 1}
    answer = conforming.create(conforming.client(conforming.writer), body)
    if conforming.wire.declared.unknown == "ignore":
        assert answer.status_code == conforming.wire.create.status, answer.text
    else:
        conforming.refused(answer, conforming.status("invalid", 422))


def test_body_that_is_no_object_is_refused(conforming: Conforming) -> None:
    need(conforming, "create")
    client, path = conforming.client(conforming.writer), conforming.collection
    conforming.refused(client.post(path, json=[1]), conforming.status("invalid", 422))
    broken = client.post(path, data=b"{", content_type="application/json")
    conforming.refused(broken, conforming.status("bad_request", 400))
    conforming.refused(client.post(path, data=b"a=1", content_type="text/plain"), 415)


def test_hostile_value_is_refused(conforming: Conforming) -> None:
    need(conforming, "create")
    client = conforming.client(conforming.writer)
    fields = conforming.site.runtime.registry.schemas.create(conforming.wire).fields
    for name, field in fields.items():
        kind = field.metadata["field"].type
        for text in [*(HUGE if kind in NUMBERS else []), *(UNSOUND if kind in (*NUMBERS, *TEXTS) else [])]:
            if kind == "float" and text in HUGE[:3]:
                continue  # a double, if a large one
            data = f'{{"{field.data_key or name}": {text}}}'.encode()
            answer = client.post(conforming.collection, data=data, content_type="application/json")
            allowed = (conforming.status("invalid", 422), conforming.status("bad_request", 400))
            assert answer.status_code in allowed, (name, text[:20], answer.text)
            conforming.refused(answer, answer.status_code)


def test_list_is_bounded(conforming: Conforming) -> None:
    need(conforming, "list")
    declared = conforming.wire.declared.page.unpaged or conforming.model.declared.query.page.max
    client, path = conforming.client(conforming.writer), conforming.collection
    conforming.stored()
    conforming.stored()
    for size in (declared + 1, 0, -1, 2**70, "x"):
        answer = client.get(f"{path}?page_size={size}")
        conforming.refused(answer, conforming.status("invalid", 422))
    found = client.get(f"{path}?page_size=1")
    assert len(rows_of(conforming, found.get_json())) <= 1


def test_searched_row_is_found(conforming: Conforming) -> None:
    need(conforming, "list")
    model, keys = conforming.model, conforming.stored()
    with conforming.site.runtime.reading(SYSTEM, plugin=model.plugin) as ctx:
        row = ctx.records(model.name).get(*keys)
    readable = [name for name in model.declared.query.search.names if not model.attributes[name].field.read]
    said = next(
        (
            words
            for name in readable
            if (words := words_of(row[name] or "")) and words[0] in row[name].lower()
        ),
        None,
    )
    if said is None:
        pytest.skip("no text that can be searched")
    path, client = f"{conforming.collection}?q={quote(said[0])}", conforming.client(conforming.writer)
    most = conforming.wire.declared.page.unpaged or model.declared.query.page.max
    listed = rows_of(conforming, client.get(f"{conforming.collection}?page_size={most}").get_json())
    assert bool(rows_of(conforming, client.get(path).get_json())) == bool(listed)
    if conforming.rule("list") == ("owner",) and not conforming.wire.parents:
        assert rows_of(conforming, conforming.client(conforming.other).get(path).get_json()) == []


def test_list_is_walked_to_its_end(conforming: Conforming) -> None:
    need(conforming, "list")
    client = conforming.client(conforming.writer)
    for _ in range(3):
        conforming.stored()
    most = conforming.wire.declared.page.unpaged or conforming.model.declared.query.page.max
    total = len(rows_of(conforming, client.get(f"{conforming.collection}?page_size={most}").get_json()))
    path, seen = f"{conforming.collection}?page_size=2", 0
    for _ in range(total):
        answer = client.get(path)
        seen += len(rows_of(conforming, answer.get_json()))
        if "Link" not in answer.headers:
            break
        path = answer.headers["Link"].partition(">")[0].lstrip("<")
    assert seen == total


def test_unknown_query_is_refused(conforming: Conforming) -> None:
    need(conforming, "list")
    client = conforming.client(conforming.writer)
    for query in (
        "no_such=1",
        "sort=no_such",
        "fields=no_such",
        "expand=no_such",
        "no_such[in]=1",
        "count=maybe",
    ):
        answer = client.get(f"{conforming.collection}?{query}")
        problem = conforming.refused(answer, conforming.status("invalid", 422))
        assert problem["errors"][0]["pointer"] == query.partition("=")[0]


def test_hostile_filter_is_refused(conforming: Conforming) -> None:
    need(conforming, "list")
    client = conforming.client(conforming.writer)
    for name in conforming.model.declared.query.filter:
        outer = conforming.wire.outer.get(name)
        for text in ("%00", "%ED%A0%80", "%FF") if outer is not None else ():
            for operator in ("", "[in]", "[ne]"):
                answer = client.get(f"{conforming.collection}?{outer}{operator}={text}")
                conforming.refused(answer, conforming.status("invalid", 422))
        if outer is not None and conforming.model.attributes[name].field.type in NUMBERS:
            for text in ("9" * 5000, "1e999", "NaN", "0x10", "1_0", "x"):
                answer = client.get(f"{conforming.collection}?{outer}={text}")
                conforming.refused(answer, conforming.status("invalid", 422))


def test_malformed_cursor_is_refused(conforming: Conforming) -> None:
    need(conforming, "list")
    client = conforming.client(conforming.writer)
    for cursor in ("x", "%00", "AAAAAAAAAAAAAAAAAAAAAAAA", "%F0%9F%98%80"):
        answer = client.get(f"{conforming.collection}?cursor={cursor}")
        conforming.refused(answer, conforming.status("invalid", 422))


def test_malformed_key_is_not_found(conforming: Conforming) -> None:
    need(conforming, "get")
    client = conforming.client(conforming.writer)
    for key in ("zzz", "%00", "%F0%9F%98%80", "9" * 30, "-1", "%ED%A0%80", "x" * 1000):
        answer = client.get(conforming.path_of_text(key))
        missing = conforming.status("not_found", 404)
        conforming.refused(answer, answer.status_code)
        assert answer.status_code in (missing, conforming.status("malformed_key", 404)), (key, answer.text)


def test_stale_update_is_refused(conforming: Conforming) -> None:
    need(conforming, "update")
    operation = conforming.operation("update")
    assert operation is not None  # asked above
    answer = conforming.client(conforming.writer).open(
        conforming.path(conforming.stored()), method=operation.method,
        json=conforming.factory.body(conforming.wire, conforming.writer, only="update"),
        headers={"If-Match": '"stale"'},
    )  # fmt: skip
    conforming.refused(answer, 412)


def test_unchanged_row_is_not_sent_again(conforming: Conforming) -> None:
    need(conforming, "get")
    client, path = conforming.client(conforming.writer), conforming.path(conforming.stored())
    tag = client.get(path).headers["ETag"]
    again = client.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)


def test_deleted_row_is_gone(conforming: Conforming) -> None:
    need(conforming, "get", "delete")
    client, path = conforming.client(conforming.writer), conforming.path(conforming.stored())
    tag = client.get(path).headers["ETag"]
    answer = client.delete(path, headers={"If-Match": tag})
    if answer.status_code in (403, 409):
        pytest.skip("the rules keep such a row")
    assert answer.status_code == conforming.wire.delete.status, answer.text
    conforming.refused(client.get(path), conforming.status("not_found", 404))


def test_list_costs_one_query(conforming: Conforming) -> None:
    need(conforming, "list")
    client = conforming.client(conforming.writer)
    expected = queries(conforming)
    if conforming.wire.declared.list.pages == "number" and not _counts_in_page(conforming):
        expected += 1
    for _ in range(3):
        conforming.stored()
        client.get(conforming.collection)  # authentication and plans are remembered
        with counted(conforming.site.database) as ran:
            client.get(conforming.collection)
        assert len([sql for sql in ran if not sql.startswith("PRAGMA")]) <= expected, ran


def test_expansion_costs_one_query_more(conforming: Conforming) -> None:
    need(conforming, "list")
    names = [conforming.wire.outer.get(name, name) for name in conforming.model.declared.query.expand]
    client = conforming.client(conforming.writer)
    conforming.stored()
    for name in names:
        path = f"{conforming.collection}?expand={name}"
        client.get(path)
        with counted(conforming.site.database) as ran:
            rows = rows_of(conforming, client.get(path).get_json())
        assert name in rows[0]["expand"]
        assert len(ran) <= queries(conforming) + 1, ran


def test_every_operation_is_documented(conforming: Conforming) -> None:
    for operation in conforming.operations:
        for path in (operation.path, *operation.paths):
            said = conforming.document["paths"][path][operation.method.lower()]
            assert said["operationId"].startswith(operation.id)
            assert said["tags"] == [conforming.model.name]
            assert str(operation.status) in said["responses"]


def test_file_is_as_visible_as_its_row(conforming: Conforming) -> None:
    need(conforming, "upload", "download")
    keys = conforming.stored()
    client, other = conforming.client(conforming.writer), conforming.client(conforming.other)
    downloads = {it.details["field"]: it for it in conforming.operations if it.kind == "download"}
    for operation in [it for it in conforming.operations if it.kind == "upload"]:
        media, content, _ = content_for(operation.details["field"]) or ("", b"", "")
        if not media or operation.details["field"].field.write or operation.details["field"].field.read:
            continue
        path = conforming.filled(operation, keys)
        stored = client.open(path, method=operation.method, data=content, content_type=media)
        if stored.status_code == 403:
            pytest.skip("the rules keep such a row")
        assert stored.status_code == operation.status, stored.text
        wrong = client.open(path, method=operation.method, data=b"MZ" + bytes(70), content_type=media)
        conforming.refused(wrong, conforming.status("invalid", 422))
        shown = conforming.filled(downloads[operation.details["field"]], keys)
        assert client.get(shown).data == content
        row = other.get(conforming.path(keys))
        assert (other.get(shown).status_code == 200) == (row.status_code == 200)


def test_examples_are_accepted(conforming: Conforming) -> None:
    need(conforming, "create")
    if wanted_files(conforming.wire):
        pytest.skip("no JSON holds a file")
    schemas = conforming.document["components"]["schemas"]
    example = schemas[f"{answer_name(conforming.wire)}Create"]["examples"][0]
    loaded = conforming.site.runtime.registry.schemas
    assert loaded.load(loaded.create(conforming.wire), example)


def queries(conforming: Conforming) -> int:
    """How many queries a list costs, however long it is: itself, its parents, and each relation to many that it embeds."""
    links = conforming.model.links
    embedded = [
        key for key, it in conforming.wire.declared.embed.items() if embedded_relation(key, it) in links
    ]
    return 1 + bool(conforming.wire.parents) + len(embedded)


def rows_of(conforming: Conforming, body: Any) -> list[dict[str, Any]]:
    """The rows of an answered list."""
    shape = conforming.wire.declared.list
    return list(body if shape.form == "array" else body[shape.key or "items"])


def _counts_in_page(conforming: Conforming) -> bool:
    return conforming.site.database.dialect == "postgresql"


__all__ = [name for name in dir() if name.startswith("test_")]  # what a test module wants of it
