"""What can be asked about access, by name: an operation of a resource, of one of its rows, or an endpoint.

`hostwright explain` and the operations below `/api/host/access` understand their arguments here. Whatever is not known
raises NotFound with what was probably meant.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args

from host.access.policy import Operation, declared_rule
from host.compiler.models import Model
from host.compiler.registry import Registry
from host.declaration.nodes import AnyOf
from host.declaration.problems import did_you_mean
from host.errors import Invalid, NotFound

# Other surfaces and the operation whose rule guards them.
SAME_RULE = {
    "search": "list", "count": "list", "export": "list", "expand": "list", "import": "create", "history": "get",
    "download": "get", "link": "get", "upload": "update", "clear": "update",
    "push": "create", "pull": "list", "hash": "list", "events": "list",
    "bulk_create": "create", "bulk_update": "update", "bulk_delete": "delete",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Question:
    """May somebody do this? `model` is None for an endpoint; `keys` are those of the row, if one is meant."""

    operation: str
    name: str  # of the resource or endpoint
    plugin: str
    rule: AnyOf
    model: Model | None = None
    keys: tuple[Any, ...] | None = None
    about_row: bool = True  # whether the rule is asked about a row at all

    @property
    def subject(self) -> str:
        """The row, the resource or the endpoint as it is written: `freelance.invoice/65f0…`."""
        return "/".join([self.name, *map(str, self.keys or ())])


def question(registry: Registry, operation: str, subject: str) -> Question:
    """Understand `update freelance.invoice/65f0…`, `list invoice` or `call freelance.generate`."""
    name, _, key = subject.partition("/")
    endpoint = registry.declaration.endpoints.get(name)
    if operation == "call" and endpoint is not None:
        return Question("call", name, name.partition(".")[0], endpoint.access, about_row=False)
    if operation == "call":
        raise _unknown("endpoint", name, registry.declaration.endpoints)
    model = model_named(registry, name)
    rule, about_row = rule_of(model, operation)
    keys = parse_key(registry, model, key) if key else None
    return Question(operation, model.name, model.plugin, rule, model, keys, about_row)


def model_named(registry: Registry, name: str) -> Model:
    """A resource by its qualified name, or by its noun where one alone has it."""
    found = registry.models.get(name)
    if found is not None:
        return found
    meant = [model for model in registry.models.values() if model.noun == name]
    if len(meant) > 1:
        raise NotFound(f"several resources are called {name!r}: {', '.join(model.name for model in meant)}")
    if not meant:
        raise _unknown(
            "resource", name, [*registry.models, *(model.noun for model in registry.models.values())]
        )
    return meant[0]


def rule_of(model: Model, operation: str) -> tuple[AnyOf, bool]:
    """The rule of an operation or action, and whether it is about a row."""
    action = model.declared.actions.get(operation)
    same = SAME_RULE.get(operation, operation)
    if action is None and same in get_args(Operation):
        return declared_rule(model.declared.access, same), True  # type: ignore[arg-type]  # just compared
    if action is None:
        known = [*get_args(Operation), *SAME_RULE, *model.declared.actions]
        raise _unknown("operation", operation, known, f"{model.name} has")
    return action.access, action.target == "item"


def parse_key(registry: Registry, model: Model, text: str) -> tuple[Any, ...]:
    """The key of a row out of its text, the parts of a composite one between slashes."""
    parts = text.split("/")
    if len(parts) != len(model.keys):
        raise Invalid(f"write the key of {model.name} as {'/'.join(key.name for key in model.keys)}")
    try:
        return tuple(_key_value(registry, key, part) for key, part in zip(model.keys, parts, strict=True))
    except ValueError as error:
        raise Invalid(f"the key of {model.name} has to be {error}") from None


def _key_value(registry: Registry, key: Any, text: str) -> Any:
    if len(text) > 512 or "\x00" in text or not text.isprintable():
        raise ValueError("a printable text of at most 512 characters")
    value = registry.kinds[key.field.type].parse(text, key.field)
    if isinstance(value, int) and abs(value) >= 2**63:
        raise ValueError("a smaller number")
    return value


def _unknown(what: str, name: str, known: Iterable[str], has: str = "there is") -> NotFound:
    return NotFound(f"{has} no {what} {name[:80]!r}{did_you_mean(name, known)}")
