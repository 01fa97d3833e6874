"""An Orbix database is moved in with what `mongoexport` wrote, collection by collection."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from click.testing import CliRunner

from host.actor import SYSTEM
from host.cli import main
from plugins.freelance.tests.house import SECRET, House, User

INSTANT = {"$date": "2024-01-02T10:00:00Z"}


def oid(text: str) -> dict[str, str]:
    return {"$oid": text}


def documents(key: str) -> dict[str, dict[str, Any]]:
    """One document of each collection; every key begins alike, so that several tests can share a database."""
    ids = {
        name: oid(f"{key}{number:02d}")
        for number, name in enumerate(("user", "client", "project", "invoice", "entry"), 1)
    }
    stamps = {"created_at": INSTANT, "updated_at": INSTANT}
    owned = {"user_id": ids["user"], **stamps}
    line = {"description": "Work", "quantity": 2.0, "rate": 50.0, "amount": 100.0}
    return {
        "host.account": {"_id": ids["user"], "email": f"{key}@example.org", "name": "Ann", "password": "$2b$12$x", **stamps},
        "freelance.client": {"_id": ids["client"], "name": "Acme", "email": "a@acme.example", "phone": None, **owned},
        "freelance.project": {"_id": ids["project"], "client_id": ids["client"], "name": "Site", "hourly_rate": 60.5, **owned},
        "freelance.invoice": {
            "_id": ids["invoice"], "client_id": ids["client"], "invoice_number": "INV-00001", "date": INSTANT,
            "due_date": INSTANT,
            "items": [line], "subtotal": 100.0, "tax": 8.25, "discount": 0.0, "total": 108.25, "currency": "USD",
            "status": "paid",
            **owned,
        },
        "freelance.time_entry": {
            "_id": ids["entry"], "project_id": ids["project"], "description": "Work", "start_time": INSTANT,
            "end_time": {"$date": "2024-01-02T11:30:00Z"}, "duration": {"$numberLong": "5400"}, "is_billable": True, **owned,
        },
    }  # fmt: skip


def bring_in(house: House, resource: str, file: Path) -> None:
    settings = house.app.settings
    environ = {"HOSTWRIGHT_DATABASE_URL": settings.database_url, "HOSTWRIGHT_SECRET": SECRET}
    renamed = ["--map", "_id=hex"] if resource == "host.account" else []
    command = ["import", resource, str(file), "--format", "mongo", "--root", str(settings.root), *renamed]
    done = CliRunner().invoke(main, command, env=environ)
    assert (done.exit_code, done.output) == (0, "1 row read: 1 created, 0 updated, 0 skipped.\n")


def test_collections_of_orbix_come_in(house: House, tmp_path: Path) -> None:
    key = uuid4().hex[:22]
    for resource, document in documents(key).items():
        file = tmp_path / f"{resource}.json"
        file.write_text(json.dumps(document))
        bring_in(house, resource, file)
    ann = User(house, token_of(house, f"{key}01"))
    (invoice,), (entry,) = ann.get("/api/invoices"), ann.get("/api/time-tracking")
    assert (invoice["_id"], invoice["total"], invoice["client_name"]) == (f"{key}04", 108.25, "Acme")
    assert (entry["duration"], entry["project_id"], entry["user_id"]) == (5400, f"{key}03", f"{key}01")
    assert ann.invoice()["invoice_number"] == "INV-00002"


def token_of(house: House, key: str) -> str:
    """A token of the account with this key; its old password is not known here."""
    with house.app.runtime.reading(SYSTEM, plugin="host") as ctx:
        account = ctx.records("account").find_all(hex=key)[0]
    return house.app.authentication.grants.begin(account).token
