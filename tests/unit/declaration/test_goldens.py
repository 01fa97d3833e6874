"""Every kind of problem, word for word: the text of an error is the user's interface.

A case in `goldens/*.txt` begins with `==== code: what it shows`, holds the demo plugin's `resources.yaml`, further files
after `@@ name`, and after `@@ problems` what is printed, each line with its code in front.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from host.declaration.problems import Code

GOLDENS = Path(__file__).parent / "goldens"
BODY = "plugins/demo/resources.yaml"


def read_cases() -> dict[str, dict[str, str]]:
    cases: dict[str, dict[str, str]] = {}
    for path in sorted(GOLDENS.glob("*.txt")):
        for case in path.read_text().split("==== ")[1:]:
            title, _, text = case.partition("\n")
            assert title not in cases
            body, *others = text.split("@@ ")
            cases[title] = {
                BODY: body,
                **{name: it for name, _, it in (other.partition("\n") for other in others)},
            }
    return cases


CASES = read_cases()


@pytest.mark.parametrize("title", CASES)
def test_problem_is_told_word_for_word(title: str, problems: Callable[..., list[str]]) -> None:
    files = {name: text.replace("<BELL>", "\x07") for name, text in CASES[title].items()}
    expected = files.pop("problems")
    environ = dict(line.split("=") for line in files.pop("environ", "").split())
    found = problems(files, environ, with_code=True)
    assert "\n".join([*found, ""]) == expected
    assert any(line.startswith(title.partition(":")[0]) for line in found)


def test_every_code_has_a_golden() -> None:
    told = {line.split(" ")[0] for case in CASES.values() for line in case["problems"].splitlines()}
    elsewhere = {
        "yaml_too_large",
        "yaml_encoding",
        "yaml_nodes",
        "plugin_broken",
    }  # not text; see test_source, test_discovery
    assert told | elsewhere == set(get_args(Code))
