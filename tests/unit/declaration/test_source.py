"""The strict reader: what a file may look like, and where everything in it stands."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from host.declaration import source
from host.declaration.problems import Problems
from host.declaration.source import MAX_BYTES, MAX_NODES, Source, read


def codes_of(data: bytes) -> list[str]:
    problems = Problems()
    read(data, "a.yaml", problems)
    return [problem.code for problem in problems.sorted()]


def value_of(text: str) -> Any:
    problems = Problems()
    found = read(text.encode(), "a.yaml", problems)
    assert not problems and found is not None
    return found.value


def test_places_count_from_one() -> None:
    found = read(b"a: 1\nb:\n  - x\n  - {c: y}\n", "a.yaml", Problems())
    assert isinstance(found, Source)
    assert str(found.place.of("b", 1, "c")) == "a.yaml:4:9"
    assert str(found.place.name("b")) == "a.yaml:2:1"


def test_place_of_something_unwritten_is_the_nearest() -> None:
    found = read(b"a: {b: 1}\n", "a.yaml", Problems())
    assert found is not None
    assert str(found.place.of("a", "c", "d")) == "a.yaml:1:4"


def test_columns_count_characters_not_bytes() -> None:
    found = read("ä: {ö: ü}\n".encode(), "a.yaml", Problems())
    assert found is not None
    assert found.place.of("ä", "ö").column == 8


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None), ("~", None), ("''", ""), ("true", True), ("False", False), ("0", 0), ("-7", -7), ("+7", 7),
        ("0x1F", 31), ("1.5", 1.5), (".5", 0.5), ("1.5e+3", 1500.0), ("'012'", "012"), ('"no"', "no"), ("1.2.3", "1.2.3"),
        ("a: b", {"a": "b"}), ("no way", "no way"), ("nope", "nope"), ("12:x", "12:x"), ("INV-1", "INV-1"),
        ("/api/x", "/api/x"), ("..", ".."), ("+", "+"), ("2026-01-31x", "2026-01-31x"),
    ],
)  # fmt: skip
def test_plain_scalars_follow_the_core_schema(text: str, value: object) -> None:
    assert value_of(f"- {text}") == [value]


@pytest.mark.parametrize(
    "text", ["yes", "No", "ON", "off", "Y", "n", "00", "012", "0o17", "0b1", "1_0", "1:30", "1e3", "="]
)
def test_ambiguous_scalars_have_to_be_quoted(text: str) -> None:
    assert codes_of(f"a: {text}".encode()) == ["yaml_quote"]
    assert codes_of(f"a: '{text}'".encode()) == []


def test_ambiguous_keys_have_to_be_quoted() -> None:
    assert codes_of(b"on: 1\n'no': 2\n") == ["yaml_quote"]


def test_file_over_the_limit_is_not_read() -> None:
    assert codes_of(b"#" * (MAX_BYTES + 1)) == ["yaml_too_large"]


def test_too_many_values_are_refused() -> None:
    assert codes_of(b"[" + b"1," * MAX_NODES + b"1]") == ["yaml_nodes"]


def test_other_encodings_are_refused() -> None:
    assert codes_of("a: ä".encode("latin-1")) == ["yaml_encoding"]
    assert codes_of("a: b".encode("utf-16")) == ["yaml_encoding"]
    assert codes_of(b"\xef\xbb\xbfa: b") == ["yaml_encoding"]


def test_long_digit_strings_are_no_numbers() -> None:
    assert codes_of(b"a: " + b"9" * 5000) == ["yaml_number"]


def test_flow_bomb_is_refused_at_its_depth() -> None:
    assert codes_of(b"[" * 100_000) == ["yaml_depth"]


def test_problems_do_not_stop_the_reading() -> None:
    assert codes_of(b"a: &x 1\nb: no\nb: 2\n1: c\n") == [
        "yaml_anchor",
        "yaml_quote",
        "yaml_duplicate",
        "yaml_key",
    ]


def test_pure_parser_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: [1, 'x', {b: no}]\nc: |\n  d\n  e\n"
    fast = read(text.encode(), "a.yaml", Problems())
    monkeypatch.setattr(source, "_Loader", yaml.SafeLoader)
    slow = read(text.encode(), "a.yaml", Problems())
    assert fast is not None and slow is not None
    assert fast.value == slow.value
    assert str(fast.place.of("a", 2, "b")) == str(slow.place.of("a", 2, "b"))


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    problems = Problems()
    found = read(text.encode("utf-8", "surrogatepass"), "a.yaml", problems)
    assert problems or found is not None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=10,
    )
)
def test_json_is_yaml_with_the_same_meaning(value: object) -> None:
    problems = Problems()
    found = read(json.dumps({"it": value}).encode(), "a.yaml", problems)
    if not problems:
        assert found is not None and found.value == {"it": value}
