"""New keys. All but uuid4 grow with time, so that new rows lie beside each other in the index."""

from __future__ import annotations

import os
import time
import uuid


def new_key(kind: str) -> str:
    """A key of one of the kinds that the server makes: uuid7, uuid4, hex24."""
    if kind == "uuid7":
        return uuid7()
    return str(uuid.uuid4()) if kind == "uuid4" else hex24()


def uuid7() -> str:
    """A UUID of version 7 (RFC 9562): 48 bits of milliseconds, 12 of the millisecond's fraction, 62 random."""
    nanoseconds = time.time_ns()
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    fraction = rest * 4096 // 1_000_000
    random = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    number = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def hex24() -> str:
    """24 hexadecimal digits, the form of a MongoDB ObjectId: 4 bytes of seconds, 8 random."""
    return f"{int(time.time()):08x}{os.urandom(8).hex()}"
