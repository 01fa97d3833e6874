"""`Idempotency-Key`: a request that is sent again is answered again, and carried out once.

A step around operations that say so (`Operation.repeats`): creating, bulk, import, actions and endpoints. Everything that the
operation writes becomes one transaction, in which its answer is kept, too; what fails is rolled back and frees the key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from tempfile import SpooledTemporaryFile
from typing import Final

import sqlalchemy as sa

from host.actor import Actor
from host.errors import IdempotencyKeyRequired, MalformedIdempotencyKey
from host.service.repeats import Claim, Kept, Repeats
from host.web.bodies import IN_MEMORY, body_pieces
from host.web.http import Answer, Request
from host.web.operations import Handler, Operation
from host.web.steps import Steps

HEADER: Final = "idempotency-key"
REPLAYED: Final = ("Idempotency-Replayed", "true")
_KEY: Final = re.compile(r'"?([A-Za-z0-9._:/+=@-]{1,200})"?')


@dataclass(frozen=True, eq=False)
class Idempotency:
    """The step of one app."""

    repeats: Repeats

    def steps(self) -> Steps:
        """What joins the pipeline."""
        return Steps(around=(self.around,))

    def around(self, request: Request, operation: Operation, proceed: Handler) -> Answer:
        """Carry the request out, unless it has been."""
        wanted = operation.repeats
        if wanted is None:
            return proceed(request)
        given = request.header(HEADER)
        if given is None:
            if wanted.is_required:
                raise IdempotencyKeyRequired("send an Idempotency-Key, a new one for each new request")
            return proceed(request)
        digest = _digest(_caller(request.actor), operation.id, _key(given))
        with _spooled(request) as fingerprint:
            found = self.repeats.claim(digest, fingerprint)
            if isinstance(found, Kept):
                return _again(found, wanted.status)
            return self._carried_out(found, request, proceed, is_joined=wanted.is_joined)

    def _carried_out(self, claim: Claim, request: Request, proceed: Handler, *, is_joined: bool) -> Answer:
        try:
            if not is_joined:
                answer = proceed(request)
                with self.repeats.runtime.database.writing() as connection:
                    self._keep(connection, claim, answer)
                return answer
            with self.repeats.runtime.joined() as joint:
                answer = proceed(request)
                with joint.part() as work:
                    self._keep(work.connection, claim, answer)
            return answer
        except BaseException:
            self.repeats.give_up(claim)
            raise

    def _keep(self, connection: sa.Connection, claim: Claim, answer: Answer) -> None:
        """Keep an answer, unless it says that the server has failed: then the key is free."""
        if answer.status < 500:
            self.repeats.keep(connection, claim, self._kept(answer))
        else:
            self.repeats.free(connection, claim)

    def _kept(self, answer: Answer) -> Kept:
        """What of an answer can be given again: not streams, nor what is long, binary or nobody's to store."""
        is_private = any(
            name == "Set-Cookie" or (name == "Cache-Control" and "no-store" in value)
            for name, value in answer.headers
        )
        text: str | None = None
        if isinstance(answer.body, bytes) and not is_private and len(answer.body) <= self._limit:
            text = _text(answer.body)
        headers = () if is_private else tuple(answer.headers)
        return Kept(answer.status, answer.content_type, headers, text)

    @property
    def _limit(self) -> int:
        return self.repeats.settings.answer_limit


def _again(kept: Kept, status: int | None) -> Answer:
    headers = [*kept.headers, REPLAYED]
    return Answer(status or kept.status, (kept.body or "").encode(), kept.media, headers)


def _text(body: bytes) -> str | None:
    try:
        return None if b"\x00" in body else body.decode()
    except UnicodeDecodeError:
        return None


def _key(given: str) -> str:
    match = _KEY.fullmatch(given.strip())
    if match is None:
        raise MalformedIdempotencyKey(
            "an Idempotency-Key is 1 to 200 letters, digits or ._:/+=@-, e.g. a UUID"
        )
    return match[1]


def _caller(actor: Actor) -> str:
    """Whose keys they are. Nobody's would be everybody's: one could read the answers of others."""
    if actor.id is None:
        raise MalformedIdempotencyKey("an Idempotency-Key belongs to an account: sign in, or leave it out")
    return f"{actor.id} {actor.api_key or ''}"


def _digest(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()


@contextmanager
def _spooled(request: Request) -> Iterator[str]:
    """The fingerprint of a request, whose body is then read from memory, or from disk beyond its first megabyte."""
    digest = sha256(f"{request.method} {request.path}?{request.query}\n".encode(errors="surrogateescape"))
    digest.update((request.header("content-type") or "").encode(errors="surrogateescape") + b"\n")
    with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        received = 0
        for piece in body_pieces(request):
            digest.update(piece)
            received += file.write(piece)
        file.seek(0)
        request.read, request.length = file.read, received
        yield digest.hexdigest()
