"""Arguments of jobs that hold secrets: encrypted with a key of their own out of the site's secret."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from functools import cached_property
from typing import TYPE_CHECKING, Any

import orjson

from host.errors import Unavailable
from host.fields.columns import json_value

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


class Sealer:
    """Seals and opens with one secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def seal(self, data: Any) -> str:
        """JSON as a text that says nothing."""
        return self._cipher.encrypt(orjson.dumps(data, json_value)).decode()

    def open(self, sealed: str) -> Any:
        """What was sealed. Raises Unavailable when the site's secret is another one now."""
        from cryptography.fernet import InvalidToken

        try:
            return orjson.loads(self._cipher.decrypt(sealed.encode()))
        except InvalidToken:
            raise Unavailable("the arguments were sealed with another secret of the site") from None

    @cached_property
    def _cipher(self) -> Fernet:
        from cryptography.fernet import Fernet  # only where something is sealed
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        derived = HKDF(SHA256(), 32, salt=None, info=b"hostwright sealed jobs")
        return Fernet(urlsafe_b64encode(derived.derive(self._secret.encode())))
