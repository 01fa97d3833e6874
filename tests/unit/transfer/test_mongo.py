"""What mongoexport writes is imported: relaxed and canonical, in lines and as an array."""

from __future__ import annotations

from io import BytesIO

import pytest

from host.actor import SYSTEM
from host.transfer.importing import ImportOptions, import_file
from tests.unit.transfer.shop import Shop, wrong

CLIENT = "01890a5d-ac96-774b-bcce-b302099a8057"
CANONICAL = """{"_id":{"$oid":"5f1f1f1f1f1f1f1f1f1f1f1f"},"user_id":"%s","client_id":"%s","number":"INV-00007",
"total":{"$numberDecimal":"12.50"},"due":{"$date":{"$numberLong":"1577836800000"}},"created_at":{"$date":{"$numberLong":"1577836800123"}},
"lines":[{"_id":{"$oid":"5f1f1f1f1f1f1f1f1f1f1f1e"},"what":"x","price":{"$numberDouble":"0.30000000000000004"}}],
"extra":{"n":{"$numberLong":"5"},"i":{"$numberInt":"1"},"d":{"$date":{"$numberLong":"0"}}},"__v":{"$numberInt":"0"}}"""
RELAXED = """{"_id":{"$oid":"5f1f1f1f1f1f1f1f1f1f1f1f"},"user_id":"%s","client_id":"%s","number":"INV-00007",
"total":12.5,"due":{"$date":"2020-01-01T00:00:00Z"},"created_at":{"$date":"2020-01-01T00:00:00.123Z"},
"lines":[{"_id":{"$oid":"5f1f1f1f1f1f1f1f1f1f1f1e"},"what":"x","price":0.30000000000000004}],
"extra":{"n":5,"i":1,"d":{"$date":"1970-01-01T00:00:00Z"}},"__v":0}"""


@pytest.fixture
def filled(shop: Shop) -> Shop:
    """The shop with one customer of ann's, under a key that is known."""
    shop.take("customer", f'{{"id":"{CLIENT}","name":"Acme","owner":"{shop.ann.id}"}}')
    return shop


@pytest.mark.parametrize("text", [CANONICAL, RELAXED])
@pytest.mark.parametrize("form", ["%s\n", "[%s]"])
def test_documents_move_in_without_loss(filled: Shop, text: str, form: str) -> None:
    data = form % (text % (filled.ann.id, CLIENT))
    report = filled.take("order", data, wire="legacy", format="mongo", renames={"__v": ""})
    assert wrong(report) == []
    found = filled.rows("order")[0]
    assert {name: found[name] for name in ("id", "owner", "customer", "number", "total", "due", "lines", "extra")} == {
        "id": "5f1f1f1f1f1f1f1f1f1f1f1f", "owner": filled.ann.id, "customer": CLIENT, "number": "INV-00007", "total": "12.50",
        "due": "2020-01-01", "lines": [{"what": "x", "price": "0.30"}],
        "extra": {"n": 5, "i": 1, "d": "1970-01-01T00:00:00Z"},
    }  # fmt: skip
    assert found["created_at"].startswith("2020-01-01T00:00:00.123")


def test_accounts_move_in_by_hex(shop: Shop) -> None:
    wire = shop.site.runtime.registry.wires["host.account"][0]
    data = '{"_id":{"$oid":"5f1f1f1f1f1f1f1f1f1f1f1f"},"email":"cy@example.org","name":"Cy"}'
    options = ImportOptions(format="mongo", renames={"_id": "hex"})
    report = import_file(shop.site.runtime, SYSTEM, wire, BytesIO(data.encode()).read, options)
    assert wrong(report) == []


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ('{"name":{"$regularExpression":{"pattern":"x","options":""}}}', "/name"), ('{"name":{"$oid":"zz"}}', ""),
        ('{"name":{"$date":"never"}}', ""), ('{"name":{"$numberDecimal":"x"}}', ""), ('{"name":{"$minKey":1}}', "/name"),
        ('{"name":{"$date":{"$numberLong":"99999999999999999"}}}', ""),
    ],
)  # fmt: skip
def test_odd_values_are_reported(shop: Shop, document: str, pointer: str) -> None:
    report = shop.take("tag", document, format="mongo")
    assert [(line, where) for line, where, _ in wrong(report)] == [(1, pointer)]


def test_broken_array_is_reported(shop: Shop) -> None:
    report = shop.take("tag", '[{"name":"a"},\n{"name":"b"', format="mongo")
    assert wrong(report) == [(2, "", "malformed")]
    assert shop.rows("tag") == []


@pytest.mark.parametrize("depth", [100, 400, 100_000])
def test_deep_documents_are_reported(shop: Shop, depth: int) -> None:
    report = shop.take("tag", '{"name":' + '{"a":' * depth + "1" + "}" * depth + "}", format="mongo")
    assert [line for line, _, _ in wrong(report)] == [1]
