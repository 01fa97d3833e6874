"""The sizes of the house: a module over 400 lines or a function over 40 says why in a comment `# long: …`."""

import ast
from collections.abc import Iterator
from pathlib import Path

LONGEST_MODULE = 400
LONGEST_FUNCTION = 40
REASON = "# long:"


def test_long_modules_carry_a_reason(checkout: Path) -> None:
    unexplained = [
        f"{source.relative_to(checkout)}: {length} lines"
        for source in sources(checkout)
        if (length := source.read_text().count("\n")) > LONGEST_MODULE and REASON not in source.read_text()
    ]
    assert unexplained == []


def test_long_functions_carry_a_reason(checkout: Path) -> None:
    found = ((source.relative_to(checkout), name) for source in sources(checkout) for name in long(source))
    unexplained = [f"{source}:{name}" for source, name in found]
    assert unexplained == []


def sources(checkout: Path) -> Iterator[Path]:
    yield from (checkout / "host").rglob("*.py")
    left_out = {"tests", "migrations"}  # revisions are written by a command, as long as the tables are
    yield from (path for path in (checkout / "plugins").rglob("*.py") if not left_out & set(path.parts))


def long(source: Path) -> Iterator[str]:
    """Yield the functions that are too long without saying so on their first line."""
    lines = source.read_text().splitlines()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = body_length(node)
            if length > LONGEST_FUNCTION and REASON not in lines[node.lineno - 1]:
                yield f"{node.lineno} {node.name}: {length} lines"


def body_length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines a function has below its docstring."""
    first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
    return (node.end_lineno or 0) - first.lineno + 1
