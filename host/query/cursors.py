"""Keyset cursors: where a page ended, opaque and signed, bound to the list and the order they were made for."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import orjson

from host.errors import FieldError, Invalid

_SIGNATURE = 12  # bytes; a forged cursor only reaches rows that the rules show anyway


class Cursors:
    """Makes and reads cursors with one secret."""

    def __init__(self, secret: str) -> None:
        self._key = sha256(b"hostwright cursor " + secret.encode()).digest()

    def make(self, scope: str, values: Sequence[Any]) -> str:
        """A cursor behind the row with these values of the order; `scope` names the list and its order."""
        payload = orjson.dumps(list(values), default=str)
        return urlsafe_b64encode(self._sign(scope, payload) + payload).rstrip(b"=").decode()

    def read(self, scope: str, text: str, width: int) -> tuple[Any, ...]:
        """The values of a cursor; Invalid when it was not made by this host for this list and order."""
        try:
            raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            signature, payload = raw[:_SIGNATURE], raw[_SIGNATURE:]
            if hmac.compare_digest(signature, self._sign(scope, payload)):
                values = tuple(orjson.loads(payload))
                if len(values) == width:
                    return values
        except ValueError:
            pass
        detail = "this cursor was not made for this list and order"
        raise Invalid(detail, [FieldError("cursor", "cursor", detail)])

    def _sign(self, scope: str, payload: bytes) -> bytes:
        return hmac.new(self._key, scope.encode() + b"\x00" + payload, sha256).digest()[:_SIGNATURE]
