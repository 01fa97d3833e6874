"""Damaged declarations: whatever is written, the answer is a declaration or a list of problems, never another exception."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from host.declaration.linker import link
from host.declaration.problems import Problems
from host.declaration.reader import PluginFiles, host_plugin, read_plugin
from host.discovery.locations import own_files
from host.errors import DeclarationError
from host.fields.kinds import kinds, vocabulary

LANGUAGE = Path(__file__).parents[3] / "docs" / "language.md"
BLOCKS = re.findall(r"```yaml\n(.*?)```", LANGUAGE.read_text(encoding="utf-8"), re.DOTALL)
KEYS = sorted(set(re.findall(r"(\w+):", "".join(BLOCKS))))
MANIFEST = ("plugins/demo/plugin.yaml", b"name: demo\nversion: 0.1.0\n")
VALUES: list[Any] = [
    None, True, -1, 10**18, 1.5, "", "x", "a.b.c", "owner", "row.x", "me", "-id", "status == 'x'", "any(a, b)", "/x/{id}",
    "account", "demo.invoice", "decimal", "list", "object", "none", "λ", "a" * 60, [], {}, [[]], {"type": "list"}, ["owned"],
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        yield from places(below, (*path, key))


def damage(value: Any, chance: random.Random) -> None:
    path = chance.choice(list(places(value)))
    parent = value
    for key in path[:-1]:
        parent = parent[key]
    if chance.random() < 0.7:
        parent[path[-1]] = deepcopy(chance.choice(VALUES))
    elif isinstance(parent, dict):
        parent[chance.choice(KEYS)] = deepcopy(parent.pop(path[-1]))


@pytest.mark.parametrize("seed", range(10))
def test_damage_is_told_as_problems(seed: int) -> None:
    chance = random.Random(seed)
    known, own = vocabulary(kinds()), own_files()
    for _ in range(10):
        value = yaml.safe_load(chance.choice(BLOCKS))
        for _ in range(chance.randint(1, 3)):
            damage(value, chance)
        problems = Problems()
        file = ("plugins/demo/resources.yaml", yaml.safe_dump(value, allow_unicode=True).encode())
        plugins = [
            host_plugin(own, "", problems),
            read_plugin(PluginFiles("demo", None, MANIFEST, (file,)), problems),
        ]
        try:
            assert link(None, plugins, known, problems=problems.sorted()).resources
        except DeclarationError as error:
            assert error.problems and all(problem.place.line for problem in error.problems)


def test_own_damage_is_told_every_time() -> None:
    for _ in range(2):
        problems = Problems()
        host_plugin([("host/resources.yaml", b"grammar: 1\nresorces: {}\n")], "", problems)
        assert [it.code for it in problems.sorted()] == ["unknown_key"]
