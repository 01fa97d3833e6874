"""Exports: the list's own rows, one snapshot, and a connection that always goes back."""

from __future__ import annotations

from threading import BoundedSemaphore

import pytest

from host.actor import ANONYMOUS
from host.errors import Invalid, Unavailable
from host.transfer.exporting import BATCH, Export, parse_query
from tests.unit.transfer.shop import Shop, lines


def fill(shop: Shop, rows: int) -> None:
    """Give ann some customers."""
    shop.take("customer", lines(*({"name": f"n{number:04}"} for number in range(rows))), shop.ann)


def opened(shop: Shop, slots: BoundedSemaphore | None = None) -> Export:
    """An export of ann's customers."""
    return Export(shop.site.runtime.context(shop.ann), shop.wire("customer"), parse_query(""), slots)


def test_header_stands_without_rows(shop: Shop) -> None:
    assert shop.give("tag") == b"id,name\r\n"
    assert shop.give("tag", "format=ndjson") == b""


def test_rule_of_list_holds(both: Shop) -> None:
    fill(both, 3)
    assert len(both.rows("customer", actor=both.ann)) == 3
    assert both.rows("customer", actor=both.bob) == []
    assert both.rows("customer", actor=ANONYMOUS) == []


def test_hidden_fields_stay_hidden(shop: Shop) -> None:
    fill(shop, 1)
    assert shop.give("customer", actor=shop.ann).splitlines()[0] == b"id,name,email,vip,version,owner"
    assert b"pin" not in shop.give("customer")


def test_query_of_list_holds(both: Shop) -> None:
    fill(both, 5)
    assert (
        both.give("customer", "name[in]=n0001,n0003&sort=-name&fields=name", both.ann)
        == b"name\r\nn0003\r\nn0001\r\n"
    )
    assert both.give("customer", "q=0004&fields=name&format=ndjson", both.ann) == b'{"name":"n0004"}\n'


@pytest.mark.parametrize(
    "query", ["page_size=5", "cursor=x", "format=xml", "format=csv&format=csv", "nam=x", "expand=owner"]
)
def test_wrong_queries_are_refused(shop: Shop, query: str) -> None:
    with pytest.raises(Invalid):
        shop.give("customer", query, shop.ann)


def test_rows_come_in_batches(both: Shop) -> None:
    fill(both, 2 * BATCH + 1)
    pieces = list(opened(both))
    assert [piece.count(b"\r\n") for piece in pieces] == [1, BATCH, BATCH, 1]


def test_stream_sees_one_snapshot(both: Shop) -> None:
    fill(both, 2 * BATCH)
    export = opened(both)
    first = [next(export), next(export)]
    both.take("customer", lines({"name": "late"}), both.ann)
    both.take("tag", lines({"name": "writers do not wait"}))
    both.empty("customer")
    rest = b"".join([*first, *export])
    assert rest.count(b"\r\n") == 2 * BATCH + 1
    assert b"late" not in rest


@pytest.mark.parametrize("pieces", [0, 1, 2])
def test_closed_stream_gives_connection_back(both: Shop, pieces: int) -> None:
    fill(both, 3 * BATCH)
    slots = BoundedSemaphore(1)
    for _ in range(70):  # more than there are connections
        export = opened(both, slots)
        for _ in range(pieces):
            next(export)
        export.close()
        export.close()
    assert len(list(opened(both, slots))) == 4


def test_exports_at_once_are_bounded(shop: Shop) -> None:
    slots = BoundedSemaphore(1)
    export = opened(shop, slots)
    with pytest.raises(Unavailable):
        opened(shop, slots)
    export.close()
    opened(shop, slots).close()


def test_legacy_wire_exports_its_names(both: Shop) -> None:
    fill(both, 1)
    key = both.rows("customer")[0]["id"]
    both.take("order", lines({"customer": key, "total": 5}), both.ann)
    header = both.give("order", wire="legacy").splitlines()[0].decode().split(",")
    assert {"user_id", "client_id", "_id"} <= set(header)
    file = both.give("order", wire="legacy")
    both.empty("order")
    assert both.take("order", file, wire="legacy", format="csv").errors == []
    assert both.give("order", wire="legacy") == file
