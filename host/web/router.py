"""Finding the operation of a method and path: literal segments before parameters, a dictionary step per segment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host.web.operations import Operation


@dataclass
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    parameter: _Node | None = None
    methods: dict[str, tuple[Operation, tuple[str, ...]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Matched:
    """An operation with the texts of its path parameters; without one, the methods that the path has."""

    operation: Operation | None
    params: Mapping[str, str]
    allowed: tuple[str, ...] = ()


class Router:
    """A tree over path segments, made once from every operation."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        self._plain: dict[tuple[str, str], Operation] = {}
        self.operations = tuple(operations)
        for operation in self.operations:
            for path in operation.all_paths():
                self._add(operation, path)

    def _add(self, operation: Operation, path: str) -> None:
        node, names = self._root, []
        for segment in path.split("/")[1:]:
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        if operation.method in node.methods:
            raise ValueError(f"{operation.method} {path} is claimed twice")
        node.methods[operation.method] = (operation, tuple(names))
        if not names:
            self._plain[operation.method, path] = operation

    def match(self, method: str, path: str) -> Matched | None:
        """The operation of a request; None when the path is unknown."""
        plain = self._plain.get((method, path))
        if plain is not None:
            return Matched(plain, {})
        allowed: set[str] = set()
        found = self._find(self._root, path.split("/")[1:], 0, method, [], allowed)
        if found is not None:
            return found
        return Matched(None, {}, tuple(sorted(allowed))) if allowed else None

    def _find(
        self, node: _Node, segments: list[str], index: int, method: str, values: list[str], allowed: set[str]
    ) -> Matched | None:  # fmt: skip
        if index == len(segments):
            entry = node.methods.get(method)
            if entry is None:
                allowed.update(node.methods)
                return None
            return Matched(entry[0], dict(zip(entry[1], values, strict=True)))
        segment = segments[index]
        literal = node.literals.get(segment)
        if literal is not None:
            found = self._find(literal, segments, index + 1, method, values, allowed)
            if found is not None:
                return found
        # What a literal segment names is never a key too: `PUT …/bulk` is not allowed, instead of changing a row "bulk".
        if node.parameter is not None and segment and not allowed:
            return self._find(node.parameter, segments, index + 1, method, [*values, segment], allowed)
        return None
