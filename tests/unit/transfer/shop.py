"""A small shop on both databases, for tests of bulk writes, exports and imports."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from host.actor import SYSTEM, Actor
from host.compiler.wires import CompiledWire
from host.testing.sites import Site
from host.transfer.exporting import Export, parse_query
from host.transfer.importing import ImportOptions, import_file
from host.transfer.report import Report

SHOP = """
grammar: 1
site: {name: Shop}
resources:
  customer:
    fields:
      name: {type: string, required: true}
      email: {type: email, unique: true}
      vip: {type: boolean, default: false}
      secret_note: {type: text, read: "role('admin')", write: "role('admin')"}
      pin: {type: string, secret: true}
    mixins: [owned, versioned]
    query: {filter: [name, vip], sort: [name], search: [name]}
    access: owner
  tag:
    fields: {name: {type: string, unique: true, required: true}}
    access: authenticated
  ledger:
    key: int
    fields: {amount: {type: decimal, min: 0}, day: date, at: datetime, took: duration, clock: time, ratio: float, size: integer,
             kind: {type: enum, values: [in, out]}, uid: uuid}
    access: {every: "amount is None or amount < 100"}
    query: {sort: [amount]}
  place:
    key: [country, code]
    fields: {country: {type: string, required: true}, code: {type: integer, required: true}, name: string}
    access: authenticated
  document:
    mixins: [{versioned: {required: true}}, soft_delete]
    fields: {title: string}
    access: authenticated
  order:
    mixins: [owned, stamped]
    key: hex24
    fields:
      number: {type: string, counter: {per: owner, format: "O-{n:05d}"}}
      total: {type: decimal, min: 0}
      due: date
      lines: {type: list, of: {type: object, fields: {what: {type: string, required: true}, price: decimal}}}
      extra: json
      double: {type: decimal, computed: "total * 2"}
    relations: {customer: {to: customer, required: true, same_owner: true}, tags: {to: tag, many: true}}
    unique: [[owner, number]]
    checks: [{that: "total < 1000", at: total, message: "too much"}]
    access: owner
    wires:
      main: {}
      legacy:
        path: /legacy/orders
        list: array
        names: {owner: user_id, customer: client_id}
        also: {_id: id}
        values: {lenient_dates: true, decimal: number}
"""


@dataclass(frozen=True)
class Shop:
    """The running shop with two customers of it."""

    site: Site
    ann: Actor
    bob: Actor

    def wire(self, resource: str, name: str | None = None) -> CompiledWire:
        """A wire of a resource, the main one first."""
        wires = self.site.runtime.registry.wires[f"site.{resource}"]
        return next(wire for wire in wires if name in (None, wire.name))

    def take(
        self,
        resource: str,
        data: bytes | str,
        actor: Actor = SYSTEM,
        *,
        wire: str | None = None,
        **options: Any,
    ) -> Report:
        """Import a file."""
        raw = data.encode() if isinstance(data, str) else data
        chosen = ImportOptions(**{"format": "ndjson", **options})
        return import_file(self.site.runtime, actor, self.wire(resource, wire), io.BytesIO(raw).read, chosen)

    def give(
        self, resource: str, query: str = "", actor: Actor = SYSTEM, *, wire: str | None = None
    ) -> bytes:
        """Export a list."""
        return b"".join(
            Export(self.site.runtime.context(actor), self.wire(resource, wire), parse_query(query))
        )

    def rows(self, resource: str, query: str = "", actor: Actor = SYSTEM) -> list[dict[str, Any]]:
        """What a list holds."""
        said = self.give(resource, f"format=ndjson&{query}", actor)
        return [orjson.loads(line) for line in said.splitlines()]

    def empty(self, resource: str) -> None:
        """Take every row away."""
        with self.site.runtime.writing(SYSTEM) as ctx:
            ctx.execute(self.site.runtime.registry.models[f"site.{resource}"].table.delete())


@pytest.fixture(scope="module")
def sqlite_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The shop's site on SQLite; the tests of a module share it."""
    folder = tmp_path_factory.mktemp("shop")
    yield from _opened(folder, f"sqlite:///{folder / 'shop.db'}")


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def either_site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The shop's site on SQLite and on PostgreSQL; the tests of a module share it."""
    folder = tmp_path_factory.mktemp("shop")
    if request.param == "sqlite":
        yield from _opened(folder, f"sqlite:///{folder / 'shop.db'}")
        return
    server = request.getfixturevalue("postgres_server")
    name = next(request.getfixturevalue("postgres_names"))
    yield from _opened(folder, server.create(name))
    server.drop(name)


@pytest.fixture
def shop(sqlite_site: Site) -> Shop:
    """The empty shop on SQLite, for what does not depend on the database."""
    return _emptied(sqlite_site)


@pytest.fixture
def both(either_site: Site) -> Shop:
    """The empty shop, on SQLite and on PostgreSQL."""
    return _emptied(either_site)


def _opened(folder: Path, database_url: str) -> Iterator[Site]:
    (folder / "resources.yaml").write_text(SHOP)
    site = Site.make(folder, database_url)
    yield site
    site.close()


def _emptied(site: Site) -> Shop:
    with site.runtime.writing(SYSTEM) as ctx:
        for table in reversed(site.runtime.registry.metadata.sorted_tables):
            ctx.execute(table.delete())
    return Shop(site, site.account("ann"), site.account("bob"))


def lines(*rows: dict[str, Any]) -> bytes:
    """Rows as NDJSON."""
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def wrong(report: Report) -> list[tuple[int, str, str]]:
    """The errors of a report, without their texts."""
    return [(error.line, error.pointer, error.code) for error in report.errors]
