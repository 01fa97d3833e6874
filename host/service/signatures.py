"""Links to files that hold for a while without a token: for `<img src>` and downloads by a browser.

A signature is bound to the field, the row, the stored file and the time when it ends. Whoever gets a link has been allowed to
read the row; what the row may be afterwards is looked at again when the link is used.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

STEPS = 4  # of a link's life: within one, every link to a file is the same, so that browsers keep the picture


@dataclass(frozen=True)
class Signatures:
    """Makes and checks signatures; `seconds` is the least time that a link holds."""

    secret: str = field(repr=False)
    seconds: int = 3600

    def query(self, name: str, keys: Sequence[Any], path: str, now: float) -> str:
        """What is put behind `?`: when it ends, and the signature. `name` is the field's, with its resource."""
        step = max(self.seconds // STEPS, 1)
        expires = (int(now) // step + 1) * step + self.seconds
        return f"expires={expires}&signature={self._made(name, keys, path, str(expires))}"

    def holds(
        self, name: str, keys: Sequence[Any], path: str, expires: str, signature: str, now: float
    ) -> bool:
        """Whether a link was made here for this file of this row, and has not ended."""
        if not (expires.isascii() and expires.isdecimal() and len(expires) < 12 and signature.isascii()):
            return False
        made = self._made(name, keys, path, expires)
        return hmac.compare_digest(made, signature) and int(expires) > now

    def _made(self, name: str, keys: Sequence[Any], path: str, expires: str) -> str:
        said = "\0".join(("file", name, *map(str, keys), path, expires))
        digest = hmac.digest(self.secret.encode(), said.encode(), sha256)
        return urlsafe_b64encode(digest[:24]).decode()
