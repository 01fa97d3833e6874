"""The OWASP API Security Top 10 (2023), tried on every generated resource of a site, whoever declares it.

A plugin's test module says `from host.testing.owasp import *`; the fixtures are those of the conformance suite. Where a wire
lacks what a test is about, the test is skipped.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import pytest

from host.compiler.models import Attribute
from host.testing.conformance import need, rows_of
from host.testing.conforming import Conforming
from host.testing.hostility import (
    FORGED,
    INJECTED,
    KEYS,
    ORDERS,
    forged_value,
    judge,
    listening,
    told,
    unknown_key,
)
from host.web.openapi.building import path_names
from host.web.operations import Operation

PATIENCE = 5.0  # seconds for what has to be refused at once


def item_operations(conforming: Conforming) -> list[Operation]:
    """The operations on one row."""
    keys = {key.name for key in conforming.model.keys}
    return [it for it in conforming.operations if keys <= set(path_names(it.path))]


def sent(client: Any, operation: Operation, path: str) -> Any:
    """One request of an operation."""
    options: dict[str, Any] = {} if operation.method in ("GET", "HEAD") else {"json": {}}
    return client.open(path, method=operation.method, **options)


def a_row(conforming: Conforming) -> tuple[Any, ...]:
    """The key of a new row of the writer's."""
    if conforming.model.plugin == "host" and conforming.operation("create") is None:
        pytest.skip("only the host makes such rows")
    return conforming.stored()


# --- API1: object level ----------------------------------------------------------------------------------------------


def test_foreign_row_answers_as_an_unknown_one(conforming: Conforming) -> None:
    need(conforming, "get")
    keys, client = a_row(conforming), conforming.client(conforming.other)
    if client.get(conforming.path(keys)).status_code == 200:
        pytest.skip("everybody sees these rows")
    if "hidden" in conforming.wire.declared.errors.status:
        pytest.skip("the wire tells them apart on purpose")
    last = quote(str(keys[-1]), safe="")
    for operation in item_operations(conforming):
        path = conforming.filled(operation, keys)
        foreign = sent(client, operation, path)
        unknown = sent(client, operation, path.replace(last, str(unknown_key(conforming.model.keys[-1]))))
        judge(foreign)
        assert told(foreign) == told(unknown), operation.id


def test_foreign_rows_are_not_changed_in_bulk(conforming: Conforming) -> None:
    need(conforming, "bulk_update", "bulk_delete", "get")
    keys, client = a_row(conforming), conforming.client(conforming.other)
    before = conforming.client(conforming.writer).get(conforming.path(keys))
    if client.get(conforming.path(keys)).status_code == 200:
        pytest.skip("everybody sees these rows")
    names = [conforming.wire.outer.get(key.name, key.name) for key in conforming.model.keys]
    item = dict(zip(names, keys, strict=True))
    refused = (403, 404, 428, conforming.status("invalid", 422), conforming.status("hidden", 404))
    for kind in ("bulk_update", "bulk_delete"):
        operation = conforming.operation(kind)
        assert operation is not None  # asked above
        judge(client.open(f"{conforming.collection}/bulk", method=operation.method, json=[item]), *refused)
    assert conforming.client(conforming.writer).get(conforming.path(keys)).data == before.data


# --- API2: authentication ---------------------------------------------------------------------------------------------


TOKENS = ("x.y.z", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "", "null", "a" * 9000)


def test_bad_token_never_becomes_anonymous(conforming: Conforming) -> None:
    keys, client = a_row(conforming), conforming.client(None)
    for operation in conforming.operations:
        for token in TOKENS:
            said = {"Authorization": f"Bearer {token}"}
            answer = client.open(conforming.filled(operation, keys), method=operation.method, headers=said)
            judge(answer, 400, 401)
            if answer.status_code == 401:
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")


# --- API3: object property level --------------------------------------------------------------------------------------


def test_server_set_fields_cannot_be_assigned(conforming: Conforming) -> None:
    need(conforming, "create")
    client, registry = conforming.client(conforming.writer), conforming.site.runtime.registry
    for attribute in [
        it for it in conforming.model.attributes.values() if not it.is_writable and it.column is not None
    ]:
        forged = forged_value(conforming, attribute)
        for name in dict.fromkeys(
            (attribute.name, conforming.wire.outer.get(attribute.name, attribute.name))
        ):
            answer = conforming.create(client, {**conforming.body(), name: forged})
            judge(answer)
            if answer.status_code == conforming.wire.create.status and name not in _taken(conforming):
                wanted = _native(registry.kinds[attribute.field.type], forged, attribute)
                assert _stored_value(conforming, answer, attribute.name) != wanted, name


def _native(kind: Any, forged: Any, attribute: Attribute) -> Any:
    """A forged value as it would have been stored."""
    try:
        return kind.parse(str(forged), attribute.field)
    except ValueError:
        return forged


def _taken(conforming: Conforming) -> set[str]:
    """What create takes on purpose, also under other names."""
    fields = conforming.site.runtime.registry.schemas.create(conforming.wire).fields
    return {field.data_key or name for name, field in fields.items()} | set(conforming.wire.aliases)


def _stored_value(conforming: Conforming, answer: Any, name: str) -> Any:
    """The value that the newest row has now, as the system sees it."""
    with conforming.site.runtime.reading(conforming.writer, plugin=conforming.model.plugin) as ctx:
        table = ctx.table(conforming.model.name)
        key = conforming.model.keys[0].column
        column = conforming.model.attributes[name].column
        assert key is not None and column is not None  # both are stored
        location = answer.headers.get("Location", "").rpartition("/")[2]
        rows = ctx.execute(table.select()).mappings().all()
        found = [row for row in rows if str(row[key.name]).replace("-", "") == location.replace("-", "")]
        return (found or rows)[-1][column.name]


def test_privileges_cannot_be_claimed(conforming: Conforming) -> None:
    need(conforming, "create", "list")
    writer = conforming.client(conforming.writer)
    for name in FORGED:
        if name in conforming.wire.inner:
            continue
        answer = conforming.create(writer, {**conforming.body(), name: "admin"})
        judge(answer)
        if conforming.wire.declared.unknown == "refuse":
            assert answer.status_code == conforming.status("invalid", 422)
        elif answer.status_code == conforming.wire.create.status and isinstance(answer.get_json(), dict):
            assert name not in answer.get_json()


def test_secrets_are_never_shown(conforming: Conforming) -> None:
    need(conforming, "list")
    secrets = {
        conforming.wire.outer.get(it.name, it.name)
        for it in conforming.model.attributes.values()
        if it.field.secret
    }
    a_row(conforming)
    client = conforming.client(conforming.writer)
    for row in rows_of(conforming, client.get(conforming.collection).get_json()):
        assert not secrets & set(row)
    for name in secrets:
        for query in (f"{name}=x", f"sort={name}", f"fields={name}"):
            judge(client.get(f"{conforming.collection}?{query}"), conforming.status("invalid", 422))


# --- API4: resource consumption ---------------------------------------------------------------------------------------


GREEDY = (
    "page_size=1000000", "page_size=-1", "page=999999999999", "q=" + "x" * 100_000,
    "&".join(f"a{at}=1" for at in range(5000)),
    "sort=" + ",".join(["id"] * 20_000), "fields=" + ",".join(["id"] * 20_000), "expand=" + ".".join(["a"] * 5000),
    "id[in]=" + ",".join(map(str, range(50_000))), "cursor=" + "A" * 100_000, "[" * 10_000 + "=1",
)  # fmt: skip


def test_greedy_query_is_refused_at_once(conforming: Conforming) -> None:
    need(conforming, "list")
    for query in GREEDY:
        started = time.perf_counter()
        answer = conforming.client(conforming.writer).get(f"{conforming.collection}?{query}")
        judge(answer, 200, 400, 414, 422)
        assert len(answer.data) < 1 << 20
        assert time.perf_counter() - started < PATIENCE, query[:40]


def test_greedy_body_is_refused_at_once(conforming: Conforming) -> None:
    need(conforming, "create")
    client, path = conforming.client(conforming.writer), conforming.collection
    bodies = [
        b"[" * 100_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000, b"[" + b"{}," * 100_000 + b"{}]",
        b'{"a": ' + b"9" * 500_000 + b"}",
        b'{"' + b"k" * 500_000 + b'": 1}', b"{" + b",".join(b'"k%d": 1' % at for at in range(50_000)) + b"}", b"\x00" * 1000,
    ]  # fmt: skip
    for body in bodies:
        started = time.perf_counter()
        judge(
            client.post(path, data=body, content_type="application/json"),
            400,
            413,
            422,
            conforming.status("invalid", 422),
        )
        assert time.perf_counter() - started < PATIENCE
    operation = conforming.operation("create")
    assert operation is not None  # asked above
    too_much = b'{"a": "' + b"x" * operation.body_limit + b'"}'
    judge(client.post(path, data=too_much, content_type="application/json"), 413)


# --- API5: function level ---------------------------------------------------------------------------------------------


def test_methods_of_other_functions_are_not_there(conforming: Conforming) -> None:
    keys, client = a_row(conforming), conforming.client(conforming.writer)
    served: dict[str, set[str]] = {}
    for operation in conforming.site.app.operations:
        for path in operation.all_paths():
            served.setdefault(path, set()).add(operation.method)
    for operation in conforming.operations:
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT"} - served[operation.path]:
            answer = client.open(conforming.filled(operation, keys), method=method, json={})
            judge(answer, 404, 405)
            assert answer.status_code == 404 or method not in answer.headers["Allow"].split(", ")


def test_method_cannot_be_overridden(conforming: Conforming) -> None:
    need(conforming, "get", "delete")
    path, client = conforming.path(a_row(conforming)), conforming.client(conforming.writer)
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        judge(client.get(path, headers={name: "DELETE"}), 200)
        judge(client.get(f"{path}?_method=DELETE"), 200, conforming.status("invalid", 422))
    assert client.get(path).status_code == 200


def test_functions_of_admins_are_closed_to_users(conforming: Conforming) -> None:
    keys, client = a_row(conforming), conforming.client(conforming.other)
    for operation in conforming.operations:
        if conforming.spelled_out(operation.access) == ("role('admin')",):
            answer = client.open(conforming.filled(operation, keys), method=operation.method, json={})
            judge(answer, 403, 404, conforming.status("not_found", 404), conforming.status("forbidden", 403))


# --- API7: requests that the server is made to send -------------------------------------------------------------------


def test_stored_address_is_not_fetched(conforming: Conforming) -> None:
    need(conforming, "create")
    fields = conforming.site.runtime.registry.schemas.create(conforming.wire).fields
    names = [
        field.data_key or name
        for name, field in fields.items()
        if field.metadata["field"].type in ("url", "string", "text")
    ]
    with listening() as (url, callers):
        for name in names:
            judge(conforming.create(conforming.client(conforming.writer), {**conforming.body(), name: url}))
        time.sleep(0.1)
    assert callers == []


# --- API8: misconfiguration, and injection ----------------------------------------------------------------------------


def test_injected_query_finds_nothing_more(conforming: Conforming) -> None:
    need(conforming, "list")
    a_row(conforming)
    client, path = conforming.client(conforming.other), conforming.collection
    seen = client.get(f"{path}?page_size={_page(conforming)}")
    if seen.status_code != 200:
        client = conforming.client(conforming.writer)
        seen = client.get(f"{path}?page_size={_page(conforming)}")
    most = len(rows_of(conforming, seen.get_json()))
    filters = [
        conforming.wire.outer[it]
        for it in conforming.model.declared.query.filter
        if it in conforming.wire.outer
    ]
    for text in map(quote, INJECTED):
        for query in (f"q={text}", f"fields={text}", f"expand={text}", f"{text}=1", *(f"{it}={text}" for it in filters),
                      *(f"{it}[in]={text},x" for it in filters), *(f"{it}[contains]={text}" for it in filters)):  # fmt: skip
            answer = client.get(f"{path}?{query}")
            judge(answer, 200, 400, 422, conforming.status("invalid", 422))
            if answer.status_code == 200:
                assert len(rows_of(conforming, answer.get_json())) <= most, query


def test_wildcards_of_a_search_are_letters(conforming: Conforming) -> None:
    need(conforming, "list")
    search = conforming.model.declared.query.search
    if not search.names:
        pytest.skip("no search")
    a_row(conforming)
    client = conforming.client(conforming.writer)
    for word in ("%", "_", "%%", "\\"):
        rows = rows_of(conforming, client.get(f"{conforming.collection}?q={quote(word)}").get_json())
        assert all(
            search.texts and word[0] in str(list(row.values())) for row in rows
        )  # an index has no signs


def test_injected_order_is_refused(conforming: Conforming) -> None:
    need(conforming, "list")
    name = next(
        (
            conforming.wire.outer[it]
            for it in conforming.model.declared.query.sort
            if it in conforming.wire.outer
        ),
        "id",
    )
    client = conforming.client(conforming.writer)
    for order in ORDERS:
        answer = client.get(f"{conforming.collection}?sort={quote(order.format(name))}")
        judge(answer, conforming.status("invalid", 422))


def test_injected_key_is_not_found(conforming: Conforming) -> None:
    need(conforming, "get")
    client = conforming.client(conforming.writer)
    a_row(conforming)
    missing = (404, 405, conforming.status("not_found", 404), conforming.status("malformed_key", 404))
    for key in KEYS:
        judge(client.get(conforming.path_of_text(key)), *missing)


def test_cursor_of_another_cannot_be_used(conforming: Conforming) -> None:
    need(conforming, "list")
    for _ in range(2):
        a_row(conforming)
    mine = conforming.client(conforming.writer).get(f"{conforming.collection}?page_size=1")
    if "Link" not in mine.headers or "cursor=" not in mine.headers["Link"]:
        pytest.skip("no cursors")
    next_path = mine.headers["Link"].partition(">")[0].lstrip("<")
    head, _, cursor = next_path.partition("cursor=")
    other = conforming.client(conforming.other)
    seen = other.get(f"{conforming.collection}?page_size={_page(conforming)}")
    visible = rows_of(conforming, seen.get_json()) if seen.status_code == 200 else []
    stolen = other.get(next_path)
    judge(stolen)
    if stolen.status_code == 200:
        assert all(row in visible for row in rows_of(conforming, stolen.get_json()))
    for at in (0, len(cursor) // 2, len(cursor) - 1):
        changed = cursor[:at] + ("B" if cursor[at] == "A" else "A") + cursor[at + 1 :]
        judge(
            conforming.client(conforming.writer).get(f"{head}cursor={changed}"),
            conforming.status("invalid", 422),
        )


# --- API9: inventory --------------------------------------------------------------------------------------------------


def test_nothing_answers_outside_of_the_document(conforming: Conforming) -> None:
    client = conforming.client(conforming.writer)
    known = conforming.document["paths"]
    for operation in conforming.operations:
        assert all(operation.method.lower() in known[path] for path in (operation.path, *operation.paths))
    malformed = (conforming.status("malformed_key", 404), conforming.status("not_found", 404))
    for path in (
        "/admin",
        "/debug",
        "/.git/config",
        "/%2e%2e/secret",
        "//x",
        "/v2",
        "/graphql",
        "/.env",
        "/backup",
        "/internal",
    ):
        judge(client.get(f"{conforming.collection}{path}"), 401, 404, 405, 422, *malformed)


def _page(conforming: Conforming) -> int:
    return conforming.wire.declared.page.unpaged or conforming.model.declared.query.page.max


__all__ = [name for name in dir() if name.startswith("test_")]  # what a test module wants of it
