"""A batch of events as a device sends it: read as a whole or refused as a whole, before anything is stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from host.errors import BadRequest, FieldError, PayloadTooLarge
from host.sync.points import SyncPoint

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CLIENT: Final = re.compile(r"[ -~]{1,128}")
_INSTANT: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}.*")
MOST_TOLD: Final = 20  # errors of one answer


@dataclass(frozen=True, slots=True)
class Incoming:
    """One event of a device. What is said of `type`, `word` and `data` is not judged yet."""

    id: str
    type: Any
    key: str
    word: Any
    data: Any
    at: datetime
    version: int | None

    @property
    def digest(self) -> str:
        """What tells the same event from another one of the same id."""
        return digest_of(self.type, self.key, self.word, self.data)


def digest_of(type_: Any, key: str, word: Any, data: Any) -> str:
    """The digest of what an event says."""
    said = orjson.dumps([type_, key, word, data], option=orjson.OPT_SORT_KEYS)
    return sha256(said).hexdigest()


def read_batch(point: SyncPoint, body: Any) -> tuple[str | None, list[Incoming]]:
    """The device's name and its events. Raises BadRequest when an id or a time of any is malformed."""
    client, items = _parts(body)
    if len(items) > point.node.most:
        raise PayloadTooLarge(f"at most {point.node.most} events at once: send the rest in another request")
    errors: list[FieldError] = []
    events = [_event(point, at, item, errors) for at, item in enumerate(items)]
    if errors:
        raise BadRequest("an id or a time is malformed, nothing has been stored", errors[:MOST_TOLD])
    return client, [event for event in events if event is not None]


def is_uuid(value: Any) -> bool:
    """Whether it is the id of anything."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def client_of(given: Any) -> str | None:
    """The name that a device gives itself."""
    if given is None or (isinstance(given, str) and _CLIENT.fullmatch(given)):
        return given
    raise BadRequest("client_id is a text of at most 128 printable ASCII characters")


def _parts(body: Any) -> tuple[str | None, list[Any]]:
    if isinstance(body, list):
        return None, body
    if isinstance(body, Mapping) and isinstance(body.get("events"), list):
        return client_of(body.get("client_id")), body["events"]
    raise BadRequest("expected a list of events, or an object with the list `events`")


def _event(point: SyncPoint, at: int, item: Any, errors: list[FieldError]) -> Incoming | None:
    if not isinstance(item, Mapping):
        errors.append(FieldError(f"/{at}", "invalid", "expected an event, a JSON object"))
        return None
    outer, before = point.outer, len(errors)
    id_, key = (_uuid(item, outer[role], at, errors) for role in ("id", "key"))
    time = _instant(item.get(outer["at"]), point.wire.declared.values.naive)
    if time is None:
        errors.append(FieldError(f"/{at}/{outer['at']}", "invalid", "expected a time as RFC 3339 has it"))
    version = item.get(outer["version"]) if "version" in outer else None
    if version is not None and not _is_version(version):
        errors.append(FieldError(f"/{at}/{outer['version']}", "invalid", "expected a whole number from 1"))
    if len(errors) > before or time is None:
        return None
    lone = next(iter(point.types)) if len(point.types) == 1 else None
    data = item.get(outer["data"])
    return Incoming(
        id_, item.get(outer["type"], lone), key, item.get(outer["event"]), {} if data is None else data, time, version
    )  # fmt: skip


def _is_version(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 1 << 31


def _uuid(item: Mapping[str, Any], name: str, at: int, errors: list[FieldError]) -> str:
    value = item.get(name)
    if is_uuid(value):
        return str(value).lower()
    errors.append(FieldError(f"/{at}/{name}", "invalid", "expected a UUID"))
    return ""


def _instant(value: Any, naive: str | None) -> datetime | None:
    if not isinstance(value, str) or _INSTANT.fullmatch(value) is None:
        return None
    try:
        found = datetime.fromisoformat(value)
        if found.tzinfo is None and naive is None:
            return None
        placed = found if found.tzinfo is not None else found.replace(tzinfo=ZoneInfo(naive or "UTC"))
        return placed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_time(value: Any, naive: str | None, name: str) -> datetime:
    """A time that is asked for. Raises BadRequest."""
    found = _instant(value, naive)
    if found is None:
        raise BadRequest(f"{name} is a time as RFC 3339 has it, e.g. 2026-01-31T12:00:00Z")
    return found
