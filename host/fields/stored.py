"""The columns of the built-in field types. `kinds` imports it when the first column is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import sqlalchemy as sa

from host.declaration.nodes import Field
from host.fields.columns import Day, DjangoInstant, DjangoUid, Exact, Instant, Json, Span, TimeOfDay, Uid
from host.fields.kinds import longest

FILE_PATH: Final = 100  # characters of a path in the storage, as Django's file fields have them

COLUMNS: Final[Mapping[str, Callable[[Field], sa.types.TypeEngine[Any]]]] = {
    "text": lambda node: sa.Text() if node.type == "text" else sa.String(longest(node)),
    "integer": lambda node: sa.BigInteger(),
    "float": lambda node: sa.Double(),
    "decimal": lambda node: Exact(node.digits, node.places),
    "boolean": lambda node: sa.Boolean(create_constraint=False),
    "date": lambda node: Day(),
    "time": lambda node: TimeOfDay(),
    "datetime": lambda node: DjangoInstant() if node.stored == "django" else Instant(),
    "duration": lambda node: Span(),
    "uuid": lambda node: DjangoUid() if node.stored == "django" else Uid(),
    "enum": lambda node: sa.String(max(map(len, node.values), default=1)),
    "file": lambda node: sa.String(FILE_PATH),
    "json": lambda node: Json(),
}
