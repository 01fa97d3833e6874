"""A whole MongoDB database of a freelance suite moves into the bundled plugin, file by file, as its operator would do it."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from host.actor import SYSTEM
from host.testing.sites import Site
from host.transfer.importing import ImportOptions, import_file
from host.transfer.report import Report

USER, CLIENT, PROJECT = "5f1f1f1f1f1f1f1f1f1f1f01", "5f1f1f1f1f1f1f1f1f1f1f02", "5f1f1f1f1f1f1f1f1f1f1f03"
TIMES = (
    '"created_at":{"$date":"2024-03-01T08:00:00.5Z"},"updated_at":{"$date":{"$numberLong":"1709280000000"}}'
)
OWNED = f'"user_id":{{"$oid":"{USER}"}},{TIMES}'
FILES = {
    "host.account": f'{{"_id":{{"$oid":"{USER}"}},"email":"cy@example.org","name":"Cy","password":"$2b$12$abc",{TIMES}}}',
    "freelance.client": f'{{"_id":{{"$oid":"{CLIENT}"}},{OWNED},"name":"Acme","email":"b@acme.example","phone":null}}',
    "freelance.project": f'{{"_id":{{"$oid":"{PROJECT}"}},{OWNED},"client_id":{{"$oid":"{CLIENT}"}},"name":"Site",'
    '"status":"active","hourly_rate":80.5,"start_date":{"$date":"2024-01-15T00:00:00Z"}}',
    "freelance.time_entry": f'[{{{OWNED},"project_id":{{"$oid":"{PROJECT}"}},"description":"x","is_billable":true,'
    '"start_time":{"$date":"2024-03-01T08:00:00Z"},"end_time":{"$date":"2024-03-01T09:30:00Z"},"duration":{"$numberInt":"5400"}}]',
    "freelance.invoice": f'{{{OWNED},"client_id":{{"$oid":"{CLIENT}"}},"invoice_number":"INV-00007","status":"paid",'
    '"date":{"$date":"2024-03-01T00:00:00Z"},"due_date":{"$date":"2024-03-31T00:00:00Z"},"currency":"EUR",'
    '"items":[{"description":"Work","quantity":{"$numberDouble":"1.5"},"rate":80.5,"amount":120.75}],"tax":0.1,"total":120.85}',
}  # fmt: skip


@pytest.fixture
def suite(tmp_path: Path, database_url: str) -> Iterator[Site]:
    (tmp_path / "resources.yaml").write_text("grammar: 1\nsite: {name: Suite, plugins: [freelance]}\n")
    site = Site.make(tmp_path, database_url)
    yield site
    site.close()


def take(suite: Site, resource: str, text: str, **renames: str) -> Report:
    """Import one file as the system."""
    wire = suite.runtime.registry.wires[resource][0]
    options = ImportOptions(format="mongo", renames=renames)
    return import_file(suite.runtime, SYSTEM, wire, BytesIO(text.encode()).read, options)


def native(suite: Site, resource: str) -> dict[str, Any]:
    """The only row of a resource."""
    with suite.runtime.reading(SYSTEM) as ctx:
        (row,) = ctx.records(resource).find_all()
        return row


def test_database_moves_in_whole(suite: Site) -> None:
    for resource, text in FILES.items():
        renames = {"_id": "hex"} if resource == "host.account" else {}
        report = take(suite, resource, text, **renames)
        assert (report.created, report.errors) == (1, []), resource
    assert native(suite, "host.account")["hex"] == USER
    project = native(suite, "freelance.project")
    assert (project["id"], project["owner"], project["client"], str(project["start_date"])) == (
        PROJECT,
        USER,
        CLIENT,
        "2024-01-15",
    )
    assert project["created_at"].isoformat() == "2024-03-01T08:00:00.500000+00:00"
    assert native(suite, "freelance.time_entry")["duration"].total_seconds() == 5400
    invoice = native(suite, "freelance.invoice")
    assert (invoice["invoice_number"], str(invoice["total"])) == ("INV-00007", "120.85")


def test_order_of_files_is_checked(suite: Site) -> None:
    take(suite, "host.account", FILES["host.account"], _id="hex")
    report = take(suite, "freelance.invoice", FILES["freelance.invoice"])
    assert [(error.line, error.pointer, error.code) for error in report.errors] == [
        (1, "/client_id", "reference")
    ]


def test_counting_goes_on_behind_imported_numbers(suite: Site) -> None:
    for resource in ("host.account", "freelance.client", "freelance.invoice"):
        take(
            suite,
            resource,
            FILES[resource].replace("00007", "00001"),
            **({"_id": "hex"} if "account" in resource else {}),
        )
    take(suite, "freelance.invoice", FILES["freelance.invoice"].replace('"invoice_number":"INV-00007",', ""))
    with suite.runtime.reading(SYSTEM) as ctx:
        numbers = [
            row["invoice_number"] for row in ctx.records("freelance.invoice").find_all(sort="invoice_number")
        ]
    assert numbers == ["INV-00001", "INV-00002"]
