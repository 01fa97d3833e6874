"""What a server says of its mail when it starts."""

from pathlib import Path

import pytest

from tests.support.serving import served


@pytest.mark.parametrize("is_on", [True, False])
def test_server_says_that_mail_is_off(tmp_path: Path, is_on: bool) -> None:
    (tmp_path / "resources.yaml").write_text("grammar: 1\nsite: {name: Test}\n")
    environ = {
        "HOSTWRIGHT_SECRET": "of-the-tests-" * 4,
        "HOSTWRIGHT_DATABASE_URL": f"sqlite:///{tmp_path / 'test.db'}",
        "HOSTWRIGHT_MAIL_HOST": "127.0.0.1" if is_on else "",
        "HOSTWRIGHT_MAIL_FROM": "no-reply@example.org",
    }
    with served(tmp_path, "serve", "--workers", "1", environ=environ) as server:
        server.wait_for("Serving the site on")
        assert server.said().count("Mail is off: set HOSTWRIGHT_MAIL_HOST") == (not is_on)
