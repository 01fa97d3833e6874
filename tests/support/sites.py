"""Sites for tests of the core, without Flask in front: several tests share one, on SQLite and on PostgreSQL.

Import `declare` (and the fixtures it needs) into a conftest; a module then makes its site once for each database.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest
from werkzeug.test import Client

from host.actor import SYSTEM, Actor
from host.service.context import Context
from host.testing.fixtures import complete
from host.testing.sites import Site
from host.web.door import Door

Declare = Callable[..., "Core"]
MANIFEST = "name: demo\nversion: 0.1.0\n"


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        """The document in the body; None for an empty one."""
        return orjson.loads(self.body) if self.body else None

    @property
    def pointers(self) -> list[str]:
        """Where the errors of a problem are."""
        return [item["pointer"] for item in self.json.get("errors", [])]


@dataclass(frozen=True)
class Caller:
    """Sends requests as an account, or as nobody."""

    door: Door
    token: str | None = None
    actor: Actor | None = None

    def send(self, method: str, path: str, body: Any = None, headers: Any = None, **options: Any) -> Reply:
        """One request; `body` becomes JSON unless it is bytes."""
        said = dict(headers or {})
        if self.token is not None:
            said.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None:
            options["data"] = body if isinstance(body, bytes) else orjson.dumps(body)
            said.setdefault("Content-Type", "application/json")
        answer = Client(self.door).open(path, method=method, headers=said, **options)
        return Reply(answer.status_code, answer.data, answer.headers)  # type: ignore[arg-type]

    def get(self, path: str, headers: Any = None) -> Reply:
        """GET."""
        return self.send("GET", path, headers=headers)

    def post(self, path: str, body: Any = None, headers: Any = None) -> Reply:
        """POST."""
        return self.send("POST", path, {} if body is None else body, headers)

    def put(self, path: str, body: Any, headers: Any = None) -> Reply:
        """PUT."""
        return self.send("PUT", path, body, headers)

    def patch(self, path: str, body: Any, headers: Any = None) -> Reply:
        """PATCH."""
        return self.send("PATCH", path, body, headers)

    def delete(self, path: str, headers: Any = None) -> Reply:
        """DELETE."""
        return self.send("DELETE", path, headers=headers)

    def make(self, path: str, **body: Any) -> dict[str, Any]:
        """The row that POST made."""
        reply = self.post(path, body)
        assert reply.status in (200, 201), reply.body
        row: dict[str, Any] = reply.json
        return row


@dataclass(eq=False, repr=False)
class Core:
    """An assembled site behind the bare door."""

    site: Site
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @cached_property
    def door(self) -> Door:
        """The WSGI application; nothing answers where no operation does."""
        return Door(self.site.app.pipeline(lambda request: None))

    @property
    def anonymous(self) -> Caller:
        """Nobody."""
        return Caller(self.door)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.site.database.dialect

    def user(self, *, role: str = "user") -> Caller:
        """A new account, signed in."""
        actor = self.site.account(f"someone{next(self._numbers)}", role=role)
        return Caller(self.door, self.site.token(actor), actor)

    def reading(self, actor: Actor = SYSTEM) -> Any:
        """A context for reading, as the plugin `site`."""
        return self.site.runtime.reading(actor, plugin="site")

    def writing(self, actor: Actor = SYSTEM) -> Any:
        """A context for writing, as the plugin `site`."""
        return self.site.runtime.writing(actor, plugin="site")

    def native(self, resource: str, *keys: Any) -> dict[str, Any]:
        """A row as plugins' code sees it."""
        with self.reading() as ctx:
            assert isinstance(ctx, Context)
            return ctx.records(resource).get(*keys)


def write_site(folder: Path, yaml: str, code: str | None = None, manifest: str = "") -> Path:
    """The files of a site; with `code` it is the plugin `demo` that declares everything, with that `actions.py`.

    `manifest` is what its `plugin.yaml` says beside its name and version.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if code is None:
        (folder / "resources.yaml").write_text(complete(yaml), encoding="utf-8")
        return folder
    plugin = folder / "plugins" / "demo"
    plugin.mkdir(parents=True)
    (folder / "resources.yaml").write_text("grammar: 1\nsite: {name: Test, plugins: [demo]}\n")
    (plugin / "plugin.yaml").write_text(MANIFEST + textwrap.dedent(manifest))
    (plugin / "resources.yaml").write_text("grammar: 1\n" + textwrap.dedent(yaml), encoding="utf-8")
    (plugin / "actions.py").write_text(textwrap.dedent(code), encoding="utf-8")
    return folder


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def declare(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Declare]:
    """`declare(yaml, code=None)` is a site on a database of its own; the module runs once on each kind.

    Further words are `manifest`, see `write_site`, and `environ`, what is set for it.
    """
    made: list[Core] = []
    dropped: list[str] = []

    def make(
        yaml: str, code: str | None = None, manifest: str = "", environ: Mapping[str, str] | None = None
    ) -> Core:
        folder = tmp_path_factory.mktemp("site")
        url = f"sqlite:///{folder / 'test.sqlite3'}"
        if request.param == "postgresql":
            name = next(request.getfixturevalue("postgres_names"))
            url = request.getfixturevalue("postgres_server").create(name)
            dropped.append(name)
        made.append(Core(Site.make(write_site(folder, yaml, code, manifest), url, environ)))
        return made[-1]

    yield make
    for core in made:
        core.site.close()
    for name in dropped:
        request.getfixturevalue("postgres_server").drop(name)
