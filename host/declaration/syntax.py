"""The syntax of expressions: Python's, through `ast` and a whitelist, to the tree of `trees`.

Names are not looked up here: `scopes` does that, for the linker and for everyone who compiles an expression.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from host.declaration import trees as tree
from host.declaration.problems import Code, did_you_mean

MAX_LENGTH = 1000
MAX_NODES = 200
MAX_DEPTH = 24
MAX_INTEGER = 2**63 - 1

CONDITIONS: Final = ("role", "member", "any", "all")
FUNCTIONS: Final = ("coalesce", "lower", "upper", "length", "abs", "round", "age", "text")

_NAME = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)
_COMPARISONS: Final[Mapping[type[ast.cmpop], str]] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not",
}  # fmt: skip
_ARITHMETIC: Final[Mapping[type[ast.operator], str]] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%",
}  # fmt: skip
_REFUSED: Final[Mapping[type[ast.AST], str]] = {
    ast.Lambda: "functions", ast.IfExp: "if … else", ast.ListComp: "loops", ast.SetComp: "loops", ast.DictComp: "loops",
    ast.GeneratorExp: "loops", ast.Await: "await", ast.Yield: "yield", ast.JoinedStr: "f-strings", ast.Dict: "mappings",
    ast.Set: "sets", ast.Subscript: "subscripts", ast.NamedExpr: "assignments", ast.Starred: "stars", ast.Slice: "slices",
}  # fmt: skip


class ExpressionError(ValueError):
    """An expression that cannot be understood; `offset` counts characters from 0."""

    def __init__(self, message: str, offset: int | None = None, code: Code = "expression") -> None:
        super().__init__(message if offset is None else f"{message} (at character {offset + 1})")
        self.offset = offset
        self.code: Code = code


class AlreadyTold(ExpressionError):
    """An expression about a row whose resource is unknown, which has been told where the relation stands."""


def parse(text: str) -> tree.Expr:
    """The tree of one expression, names unresolved: a bare name is a `Column`, `row.x` is `Column(("row", "x"))`."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"an expression has at most {MAX_LENGTH} characters")
    stripped = text.strip()
    if "#" not in stripped:  # a comment would swallow what follows on one line
        stripped = stripped.replace("\n", " ")
    if _NAME.fullmatch(stripped) and stripped not in ("me", "now") and stripped not in _KEYWORDS:
        return tree.Column((stripped,))
    return _Builder().expr(_python(stripped), 0)


_KEYWORDS: Final = frozenset(
    ("and", "or", "not", "in", "is", "if", "else", "for", "lambda", "await", "yield")
)


def _python(text: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of `1if x else 2` and '\d'
            return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        offset = (error.offset or 1) - 1
        raise ExpressionError(f"this is not an expression: {error.msg}", max(offset, 0)) from None
    except (ValueError, RecursionError, MemoryError):
        raise ExpressionError("this is not an expression") from None


class _Builder:
    """Turns one Python tree into ours; lives for one expression, because it counts."""

    def __init__(self) -> None:
        self._count = 0

    def expr(self, node: ast.expr, depth: int) -> tree.Expr:
        self._count += 1
        if self._count > MAX_NODES or depth > MAX_DEPTH:
            raise ExpressionError("the expression is too large: name a part of it as a rule", node.col_offset)
        match node:
            case ast.Constant(value=value):
                return tree.Literal(_scalar(value, node))
            case ast.Name(id=name):
                return _name(name, node)
            case ast.Attribute():
                return _path(node)
            case ast.BoolOp(op=operator, values=values):
                items = tuple(self.expr(it, depth + 1) for it in values)
                return tree.And(items) if isinstance(operator, ast.And) else tree.Or(items)
            case ast.UnaryOp():
                return self._unary(node, depth)
            case ast.BinOp():
                return self._arithmetic(node, depth)
            case ast.Compare():
                return self._compare(node, depth)
            case ast.Call():
                return self._call(node, depth)
        _refuse(node)

    def _unary(self, node: ast.UnaryOp, depth: int) -> tree.Expr:
        if not isinstance(node.op, (ast.Not, ast.USub)):
            raise ExpressionError("only `not` and `-` stand in front of a value", node.col_offset)
        item = self.expr(node.operand, depth + 1)
        if isinstance(node.op, ast.Not):
            return tree.Not(item)
        is_number = isinstance(item, tree.Literal) and type(item.value) in (int, float)
        return tree.Literal(-item.value) if is_number else tree.Negative(item)  # type: ignore[union-attr,operator]

    def _arithmetic(self, node: ast.BinOp, depth: int) -> tree.Expr:
        operator: Any = _ARITHMETIC.get(type(node.op))
        if operator is None:
            raise ExpressionError(f"arithmetic knows {' '.join(_ARITHMETIC.values())} only", node.col_offset)
        return tree.Arithmetic(operator, self.expr(node.left, depth + 1), self.expr(node.right, depth + 1))

    def _compare(self, node: ast.Compare, depth: int) -> tree.Expr:
        pairs: list[tree.Expr] = []
        left = self.expr(node.left, depth + 1)
        for op, comparator in zip(node.ops, node.comparators, strict=True):
            operator: Any = _COMPARISONS[type(op)]
            is_list = isinstance(comparator, (ast.List, ast.Tuple))
            right = _items(comparator) if is_list else self.expr(comparator, depth + 1)
            _check_operator(operator, left, right, comparator)
            pairs.append(tree.Compare(operator, left, right))
            left = right
        return pairs[0] if len(pairs) == 1 else tree.And(tuple(pairs))

    def _call(self, node: ast.Call, depth: int) -> tree.Expr:
        name = node.func.id if isinstance(node.func, ast.Name) else None
        known = (*CONDITIONS, *FUNCTIONS)
        if name not in known:
            near = did_you_mean(name, known) if name else ""
            subject = f'unknown function "{name}"' if name else "only functions can be called"
            raise ExpressionError(subject + (near or f"; known are {', '.join(known)}"), node.col_offset)
        if node.keywords:
            raise ExpressionError("arguments have no names", node.col_offset)
        return tree.Call(name, tuple(self.expr(it, depth + 1) for it in node.args))


def _check_operator(operator: str, left: tree.Expr, right: tree.Expr, node: ast.expr) -> None:
    is_none = isinstance(right, tree.Literal) and right.value is None
    if operator in ("is", "is not") and not is_none:
        raise ExpressionError("`is` compares with None alone: write `==`", node.col_offset)
    if operator not in ("is", "is not") and (is_none or left == tree.Literal(None)):
        raise ExpressionError("write `is None` or `is not None`", node.col_offset)
    if operator in ("in", "not in") and not isinstance(right, tree.Items):
        raise ExpressionError("on the right of `in` stands a list of values", node.col_offset)
    if operator not in ("in", "not in") and isinstance(right, tree.Items):
        raise ExpressionError("a list stands on the right of `in` only", node.col_offset)


def _name(name: str, node: ast.expr) -> tree.Expr:
    if name == "me":
        return tree.Me()
    if name == "now":
        return tree.Now()
    if not _NAME.fullmatch(name):
        raise ExpressionError("names are made of small letters, digits and _", node.col_offset)
    return tree.Column((name,))


def _path(node: ast.Attribute) -> tree.Expr:
    segments: list[str] = []
    inner: ast.expr = node
    while isinstance(inner, ast.Attribute):
        segments.append(inner.attr)
        inner = inner.value
    if not isinstance(inner, ast.Name):
        raise ExpressionError("a dot follows names only", node.col_offset)
    path = tuple(reversed(segments))
    if not all(_NAME.fullmatch(it) for it in (inner.id, *path)) or len(path) > 4:
        raise ExpressionError("a path is up to five names of small letters, digits and _", node.col_offset)
    if inner.id == "now" or (inner.id == "me" and len(path) > 1):
        raise ExpressionError(f"`{inner.id}` has no such parts", node.col_offset)
    return tree.Me(path) if inner.id == "me" else tree.Column((inner.id, *path))


def _items(node: ast.List | ast.Tuple | ast.expr) -> tree.Items:
    values: list[tree.Scalar] = []
    for it in getattr(node, "elts", []):
        is_negative = isinstance(it, ast.UnaryOp) and isinstance(it.op, ast.USub)
        inner = it.operand if is_negative else it
        if not isinstance(inner, ast.Constant) or inner.value is None:
            raise ExpressionError("a list holds plain values only", it.col_offset)
        value = _scalar(inner.value, inner)
        if is_negative and type(value) not in (int, float):
            raise ExpressionError("a list holds plain values only", it.col_offset)
        values.append(-value if is_negative else value)  # type: ignore[operator]
    if not values or len(values) > MAX_NODES:
        raise ExpressionError(f"a list holds 1 to {MAX_NODES} values", node.col_offset)
    return tree.Items(tuple(values))


def _scalar(value: object, node: ast.expr) -> tree.Scalar:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int) and value <= MAX_INTEGER:
        return value
    if isinstance(value, float) and value < float("inf"):
        return value
    raise ExpressionError("a value is a text, a number, True, False or None", node.col_offset)


def _refuse(node: ast.expr) -> NoReturn:
    what = _REFUSED.get(type(node), "this")
    if isinstance(node, (ast.List, ast.Tuple)):
        what = "lists that are not on the right of `in`"
    raise ExpressionError(f"{what} cannot stand in an expression", node.col_offset)
