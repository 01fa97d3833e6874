"""The Authorization header."""

import pytest

from host.auth.bearer import bearer_token
from host.errors import BadRequest, Unauthenticated


@pytest.mark.parametrize("header", ["Bearer abc", "bearer abc", "BEARER   abc", " Bearer abc "])
def test_token_is_read(header: str) -> None:
    assert bearer_token(header) == "abc"


@pytest.mark.parametrize("header", [None, ""])
def test_no_header_is_nobody(header: str | None) -> None:
    assert bearer_token(header) is None


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Basic YTpi", "abc", "Bearerabc"])
def test_other_credential_is_refused(header: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        bearer_token(header)
    assert caught.value.headers["WWW-Authenticate"] == 'Bearer realm="hostwright"'


@pytest.mark.parametrize("header", ["Bearer a b", "Bearer a,b", "Bearer a, Bearer b"])
def test_two_tokens_are_malformed(header: str) -> None:
    with pytest.raises(BadRequest) as caught:
        bearer_token(header)
    assert 'error="invalid_request"' in caught.value.headers["WWW-Authenticate"]
