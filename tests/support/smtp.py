"""A real SMTP server for tests, on a free port, with a certificate of its own."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.serving import free_port

USER, PASSWORD = "mailer", "of the mailer"


@dataclass
class Mailbox:
    """What has arrived; `refuses` is what the server says instead of taking a message."""

    port: int
    refuses: str = ""
    arrived: list[EmailMessage] = field(default_factory=list)
    attempts: int = 0
    secured: list[bool] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """One message."""
        self.attempts += 1
        if self.refuses:
            return self.refuses
        self.secured.append(session.ssl is not None)
        self.arrived.append(message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
        return "250 OK"

    def wait(self, count: int = 1, seconds: float = 20.0) -> list[EmailMessage]:
        """The messages, once there are so many."""
        deadline = time.monotonic() + seconds
        while len(self.arrived) < count:
            assert time.monotonic() < deadline, f"{len(self.arrived)} of {count} mails arrived"
            time.sleep(0.02)
        return self.arrived


@contextmanager
def mailbox(
    certificate: tuple[Path, Path] | None = None, *, wants_auth: bool = False, is_implicit: bool = False
) -> Iterator[Mailbox]:
    """A running server: with STARTTLS where it has a certificate, or encrypted from the first byte (`is_implicit`), and wanting
    USER and PASSWORD where asked to."""
    found = Mailbox(free_port())
    options: dict[str, Any] = {}
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        named = "ssl_context" if is_implicit else "tls_context"
        options = {named: context, "require_starttls": not is_implicit}
    if wants_auth:
        options |= {
            "authenticator": _authenticate,
            "auth_required": True,
            "auth_require_tls": certificate is not None,
        }
    controller = Controller(found, hostname="127.0.0.1", port=found.port, **options)
    controller.start()
    try:
        yield found
    finally:
        time.sleep(0.1)  # connections that are closing would outlive the loop
        controller.stop()


def _authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=is_right, handled=False)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate, private
