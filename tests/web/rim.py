"""The rim of a site without a site: a pipeline with a few operations behind the steps that the settings make."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from host.actor import ANONYMOUS, Actor
from host.limiting import Limit, Limiter
from host.settings import Settings, read_settings
from host.web.http import Answer, Request, json_answer
from host.web.operations import Operation
from host.web.pipeline import Pipeline
from host.web.protection import protected, protection
from host.web.router import Router

SECRET = {"HOSTWRIGHT_SECRET": "s" * 40}


def settings_of(*, is_embedded: bool = False, **given: str) -> Settings:
    """The settings of a server out of `HOSTWRIGHT_…` variables, written without their prefix."""
    environ = {f"HOSTWRIGHT_{name}": value for name, value in given.items()}
    settings = read_settings(Path("/nowhere"), {**SECRET, **environ})
    return Settings(**{**vars(settings), "is_embedded": is_embedded})


def operation(method: str = "GET", path: str = "/here", **more: Any) -> Operation:
    """An operation that answers who asked it, from where."""

    def handler(request: Request) -> Answer:
        request.body()
        return json_answer({"from": request.remote, "scheme": request.scheme, "as": request.actor.id})

    given: dict[str, Any] = {
        "handler": handler,
        "id": f"{method.lower()}Here",
        "kind": "endpoint",
        "plugin": "test",
        "summary": "",
        "is_public": True,
    }
    return Operation(method=method, path=path, **{**given, **more})


class Rim:
    """Sends requests through the rim."""

    def __init__(self, settings: Settings, *operations: Operation) -> None:
        served = operations or (operation(), operation("POST"), operation(path="/health", kind="health"))
        router = Router(tuple(protected(served, settings)))
        steps = protection(settings, Limiter(), router)
        self.pipeline = Pipeline(router, (self._actor,), self._fall, steps=steps)

    def ask(
        self,
        method: str = "GET",
        path: str = "/here",
        headers: Mapping[str, str] | None = None,
        *,
        query: str = "",
        remote: str = "127.0.0.1",
        host: str = "localhost",
        scheme: str = "http",
    ) -> Answer:
        """The answer to one request."""
        said = {name.lower(): value for name, value in (headers or {}).items()}
        return self.pipeline.handle(
            Request(
                method, path, query, said.get, lambda size: b"", 0, remote=remote, host=host, scheme=scheme
            )
        )

    @staticmethod
    def _actor(request: Request) -> Actor | None:
        name = request.header("x-account")
        return Actor(id=name) if name else ANONYMOUS

    @staticmethod
    def _fall(request: Request) -> Answer | None:
        return Answer(200, b"<p>", "text/html") if request.path == "/docs" else None


def header(answer: Answer, name: str) -> str | None:
    """A header of an answer; AssertionError when it stands there twice."""
    found = [value for key, value in answer.headers if key.lower() == name.lower()]
    assert len(found) < 2, found
    return found[0] if found else None


__all__ = ["Limit", "Rim", "header", "operation", "settings_of"]
