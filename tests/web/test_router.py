"""Finding operations: literal segments first, and what a path allows."""

from typing import Any

import pytest

from host.web.http import Answer
from host.web.operations import Operation
from host.web.router import Router


def _operation(method: str, path: str, **more: Any) -> Operation:
    return Operation(
        id=f"{method} {path}", method=method, path=path, kind="action", plugin="demo", handler=lambda request: Answer(),
        summary="", **more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def router() -> Router:
    paths = ["/a", "/a/{id}", "/a/stats", "/a/{id}/lines", "/a/{id}/{line}", "/{x}/b/c", "/a/b/d"]
    return Router(
        [*(_operation("GET", path) for path in paths), _operation("POST", "/a/stats/{when}", slash=True)]
    )


@pytest.mark.parametrize(
    ("path", "found", "params"),
    [
        ("/a", "/a", {}),
        ("/a/5", "/a/{id}", {"id": "5"}),
        ("/a/stats", "/a/stats", {}),
        ("/a/5/lines", "/a/{id}/lines", {"id": "5"}),
        ("/a/5/6", "/a/{id}/{line}", {"id": "5", "line": "6"}),
        ("/a/b/c", "/a/{id}/{line}", {"id": "b", "line": "c"}),
        ("/z/b/c", "/{x}/b/c", {"x": "z"}),
        ("/a/b/d", "/a/b/d", {}),
    ],
)
def test_most_literal_path_wins(router: Router, path: str, found: str, params: dict[str, str]) -> None:
    matched = router.match("GET", path)
    assert matched is not None and matched.operation is not None
    assert (matched.operation.path, matched.params) == (found, params)


@pytest.mark.parametrize("path", ["/", "/b", "/a/", "/a//lines", "/a/5/6/7", "a", "//a"])
def test_other_path_is_unknown(router: Router, path: str) -> None:
    assert router.match("GET", path) is None


@pytest.mark.parametrize(
    ("path", "allowed"), [("/a/stats/6", ("POST",)), ("/a/stats", ("GET",)), ("/a/5", ("GET",))]
)
def test_other_method_tells_what_is_allowed(router: Router, path: str, allowed: tuple[str, ...]) -> None:
    matched = router.match("DELETE", path)
    assert matched is not None and matched.operation is None
    assert matched.allowed == allowed


def test_what_a_literal_names_is_no_key(router: Router) -> None:
    matched = router.match("GET", "/a/stats/6")
    assert matched is not None and matched.operation is None


def test_slash_at_the_end_is_served_where_declared(router: Router) -> None:
    matched = router.match("POST", "/a/stats/6/")
    assert matched is not None and matched.operation is not None


def test_path_claimed_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="claimed twice"):
        Router([_operation("GET", "/a/{id}"), _operation("GET", "/a/{other}")])
