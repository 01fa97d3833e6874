"""What the rules say of rows that events have written: asked for many rows at once, before anything else happens to one of them.

The meaning is that of reading each row back. Where the rule needs more than the row's key (fields with `write` rules,
computed values that may fail), the row is read back at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from host.compiler.models import Model
from host.errors import Forbidden
from host.service import writing
from host.service.batches import are_allowed
from host.service.context import Context
from host.service.plans import write_rule

Asked = tuple[Model, Literal["create", "update"]]


@dataclass
class Checks:
    """Rows whose rules are still to be asked."""

    ctx: Context
    waiting: dict[Asked, set[Any]] = field(default_factory=dict)
    keys: set[Any] = field(default_factory=set)

    def add(
        self, model: Model, operation: Literal["create", "update"], key: Any, given: frozenset[str]
    ) -> None:
        """A row has been written. Raises Forbidden now, or when they are settled."""
        if any(write_rule(model, name) for name in given) or not all(
            it.is_stored for it in model.attributes.values()
        ):
            writing.read_back(self.ctx, model, (key,), operation, given)
            return
        self.waiting.setdefault((model, operation), set()).add(key)
        self.keys.add(key)

    def before(self, model: Model, key: Any, *, is_far: bool) -> None:
        """Something else is about to happen to a row, and `is_far` to others with it; rules may read it through relations."""
        refers = any(
            it.relation is not None and it.relation.to == model.name for it in model.attributes.values()
        )
        if is_far or refers or key in self.keys or any(it is not model for it, _ in self.waiting):
            self.settle()

    def settle(self) -> None:
        """Ask. Raises Forbidden when some row is not allowed to be what it has become."""
        waiting, self.waiting, self.keys = self.waiting, {}, set()
        for (model, operation), keys in waiting.items():
            if not are_allowed(self.ctx, model, operation, list(keys)):
                raise Forbidden(f"you may not {operation} such a {model.spoken}")
