"""Many writes of one request: every item is checked before the first is stored, and errors say which item they are about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from host.errors import FieldError, HostError, Invalid, PayloadTooLarge

MOST_ITEMS = 1000
MOST_ERRORS = 100
Item = TypeVar("Item")


def items_of(document: Any) -> list[Any]:
    """The items of a bulk request's body."""
    if not isinstance(document, list):
        raise Invalid.at("", "type", "expected a JSON array")
    if len(document) > MOST_ITEMS:
        raise PayloadTooLarge(f"at most {MOST_ITEMS} items at once")
    return document


def load_items(items: Sequence[Any], load: Callable[[Any], Item]) -> list[Item]:
    """What `load` makes of each item, or Invalid with the problems of all of them."""
    loaded: list[Item] = []
    errors: list[FieldError] = []
    for index, item in enumerate(items):
        try:
            loaded.append(load(item))
        except Invalid as error:
            errors += _located(error, index)
        if len(errors) >= MOST_ERRORS:
            break
    if errors:
        raise Invalid("the items are not valid", errors[:MOST_ERRORS])
    return loaded


@contextmanager
def at_item(index: int, pointer: Callable[[str], str] = str) -> Iterator[None]:
    """Whatever is refused inside is about the item at this index; `pointer` turns inner names into outer ones."""
    try:
        yield
    except HostError as error:
        error.errors = tuple(_located(error, index, pointer))
        raise


def _located(error: HostError, index: int, pointer: Callable[[str], str] = str) -> list[FieldError]:
    if not error.errors:
        return [FieldError(f"/{index}", error.code, error.detail)]
    return [FieldError(f"/{index}{pointer(item.pointer)}", item.code, item.detail) for item in error.errors]
