"""A check for schemathesis: what the document calls valid is refused only for reasons that JSON Schema cannot say."""

from urllib.parse import urlencode

import schemathesis
from schemathesis import GenerationMode

# A key that is nobody's, a rule over several fields, a cursor that was never made, a search of too many words, bytes that are
# no file of the type that they were sent as.
INEXPRESSIBLE = {
    "reference",
    "check",
    "cursor",
    "too_long",
    "duplicate",
    "forbidden",
    "range",
    "forged",
    "picture",
}

LONGEST_QUERY = 7000


@schemathesis.hook
def filter_query(context, query):
    """A longer URL is refused with 414 (test_deadlines), which would be nearly all that is found out about long values."""
    return len(urlencode(query or {}, doseq=True)) < LONGEST_QUERY


@schemathesis.check
def refuses_valid_input_for_a_reason(context, response, case):
    """Every error of a 400 or 422 to valid input has one of the codes above."""
    meta = case.meta
    is_valid = meta is not None and meta.generation.mode == GenerationMode.POSITIVE
    is_valid = is_valid and not case.path.startswith("/api/auth/")  # one of two names has to be there
    if not is_valid or response.status_code not in (400, 422):
        return
    problem = response.json()
    if problem["code"] == "idempotency_mismatch":  # the fuzzer sends one key with many bodies
        return
    codes = {error["code"] for error in problem.get("errors", [{"code": "none"}])}
    assert codes <= INEXPRESSIBLE, f"valid input was refused: {response.text[:500]}"
