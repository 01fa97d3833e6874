"""CSV files: what was exported is imported again without loss."""

from __future__ import annotations

import pytest

from tests.unit.transfer.shop import Shop, lines, wrong

FULL = {
    "amount": "5.50", "day": "2026-01-31", "at": "2026-01-31T12:00:00Z", "took": "PT1H30M", "clock": "09:30:00", "ratio": -1.5,
    "size": -7, "kind": "in", "uid": "01890a5d-ac96-774b-bcce-b302099a8057",
}  # fmt: skip


def test_every_type_reads_back(both: Shop) -> None:
    both.take("ledger", lines(FULL, {}))
    file = both.give("ledger", "sort=amount")
    both.empty("ledger")
    assert wrong(both.take("ledger", file, format="csv")) == []
    assert both.give("ledger", "sort=amount") == file


def test_whole_orders_read_back(both: Shop) -> None:
    both.take("customer", lines({"name": "Acme"}), both.ann)
    key = both.rows("customer")[0]["id"]
    order = {"customer": key, "total": "5.5", "lines": [{"what": "=x", "price": "1"}], "extra": "=a"}
    both.take("order", lines(order, {"customer": key, "extra": {"a": None}}), both.ann)
    file = both.give("order")
    both.empty("order")
    assert wrong(both.take("order", file, format="csv")) == []
    assert both.give("order") == file


def test_odd_texts_read_back(shop: Shop) -> None:
    names = ["=1+1", "@x", "'", "''=", "-", "a\nb", 'a"b', " a", "é€😀", "x,y", "'tis", "-5", "\t", "#"]
    shop.take("tag", lines(*({"name": name} for name in names)))
    file = shop.give("tag")
    shop.empty("tag")
    shop.take("tag", file, format="csv")
    assert sorted(row["name"] for row in shop.rows("tag")) == sorted(names)


def test_empty_cell_takes_the_default(shop: Shop) -> None:
    shop.take("customer", "name,vip,email\r\na,,\r\n", shop.ann, format="csv")
    assert shop.rows("customer", "fields=name,vip,email") == [{"name": "a", "email": None, "vip": False}]


def test_records_know_their_line(shop: Shop) -> None:
    data = 'name,vip\n"two\nlines",true\n\nx,maybe\ny\nz,true,1\n'
    report = shop.take("customer", data, shop.ann, format="csv")
    assert wrong(report) == [(5, "/vip", "invalid"), (6, "", "malformed"), (7, "", "malformed")]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", (1, "", "malformed")), (b"name,nmae\na,b\n", (1, "/nmae", "unknown")),
        (b"name,name\na,b\n", (1, "/name", "repeated")),
        (b"name\n\xff\n", (2, "", "malformed")), (b'name\n"a"b\n', (2, "", "malformed")), (b'name\n"a\n', (2, "", "malformed")),
    ],
)  # fmt: skip
def test_unreadable_files_are_reported(shop: Shop, data: bytes, error: tuple[int, str, str]) -> None:
    report = shop.take("tag", data, shop.ann, format="csv")
    assert error in wrong(report)
    assert shop.rows("tag") == []


def test_unclosed_quote_takes_bounded_memory(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host.transfer.records.LONGEST_RECORD", 1000)
    report = shop.take("tag", b'name\n"' + b"x\n" * 2000, shop.ann, format="csv")
    assert "quote" in report.errors[0].detail
