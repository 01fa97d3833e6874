"""The JSON Schema agrees with the binder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from host.declaration import nodes
from host.declaration.binder import bind
from host.declaration.problems import Problems
from host.declaration.schema import json_schema
from host.declaration.source import read
from host.fields.kinds import kinds

HOST = Path(nodes.__file__).parent.parent

GOOD = [
    "grammar: 1\nsite: {name: Test, plugins: [demo]}\nsettings: {demo: {a: 1}}\n",
    "name: demo\nversion: 0.1.0\nhost: '>=0.1'\ndepends: other\nsettings: {a: integer, b: {type: string, secret: true}}\n",
    "grammar: 1\nrules: {a: public, b: [a, \"role('x')\"], c: {when: a, examples: [{as: null, row: {}, expect: deny}]}}\n",
    "grammar: 1\ntypes: {a: {type: object, fields: {camelCase: string, list: {type: list, of: a}}}}\n",
    "grammar: 1\nresources: {a: {access: owner, mixins: [owned, {stamped: {created: made}}], key: [x, z]}}\n",
    "grammar: 1\nresources: {a: {access: {list: [a, b]}, mixins: owned, key: hex24, unique: [a, [b], {fields: d, lower: d}]}}\n",
    "grammar: 1\nresources: {a: {wire: {list: array, create: 200, delete: {status: 200, body: message}, names: {a: b}}}}\n",
    "grammar: 1\nwires: {a: {list: array}, b: {like: c.a}}\nresources: {d: {wire: {like: b}}}\n",
    "grammar: 1\nendpoints: {a: {path: '/a/{b}', call: c.d, access: public, in: a, out: {type: list, of: x.y}}}\n",
]
BAD = [
    "grammar: 2\n",
    "resources: {}\n",
    "grammar: 1\nresourcs: {}\n",
    "grammar: 1\nresources: {A: {}}\n",
    "grammar: 1\nresources: {a: {fields: {b: {typ: text}}}}\n",
    "grammar: 1\nresources: {a: {key: uuid9}}\n",
    "grammar: 1\nresources: {a: {fields: {b: {type: text, required: sometimes}}}}\n",
    "grammar: 1\nresources: {a: {mixins: [owner]}}\n",
    "grammar: 1\nresources: {a: {operations: [list, remove]}}\n",
    "grammar: 1\nresources: {a: {unique: {fields: [a]}}}\n",
    "grammar: 1\nresources: {a: {wire: array}}\n",
    "grammar: 1\nwires: {a: {like: [b, c]}}\n",
    "grammar: 1\nwires: {a: {like: a.b.c}}\n",
    "grammar: 1\nresources: {a: {path: no spaces here}}\n",
    "grammar: 1\nresources: {a: null}\n",
    "name: demo\nversion: 1.0\n",
]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json_schema(kinds(), ["demo"])


def plain(text: str) -> Any:
    problems = Problems()
    source = read(text.encode(), "a.yaml", problems)
    assert source is not None and not problems
    return source


def is_bound(text: str) -> bool:
    problems = Problems()
    source = plain(text)
    kind = (
        nodes.Site
        if "site" in source.value
        else nodes.Manifest
        if "version" in source.value
        else nodes.Declarations
    )
    bind(kind, source, problems)
    return not problems


def is_valid(schema: dict[str, Any], text: str) -> bool:
    return jsonschema.Draft202012Validator(schema).is_valid(plain(text).value)


def test_schema_is_a_schema(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("text", GOOD)
def test_good_files_pass_both(schema: dict[str, Any], text: str) -> None:
    assert is_bound(text)
    assert is_valid(schema, text)


@pytest.mark.parametrize("text", BAD)
def test_bad_files_pass_neither(schema: dict[str, Any], text: str) -> None:
    assert not is_bound(text)
    assert not is_valid(schema, text)


def test_every_bundled_file_is_valid(schema: dict[str, Any]) -> None:
    files = [
        *HOST.glob("resources/*.yaml"),
        *HOST.parent.glob("plugins/*/*.yaml"),
        *HOST.parent.glob("plugins/*/resources/*.yaml"),
    ]
    assert files
    for file in files:
        jsonschema.Draft202012Validator(schema).validate(plain(file.read_text()).value)


def test_editors_are_offered_names_and_texts(schema: dict[str, Any]) -> None:
    definitions = schema["$defs"]
    assert "decimal" in str(definitions["Field"])
    assert definitions["SiteInfo"]["properties"]["plugins"]["anyOf"][0] == {"enum": ["demo"]}
    for name, definition in definitions.items():
        mapping = (
            definition
            if "properties" in definition
            else next(it for it in definition["anyOf"] if "properties" in it)
        )
        assert definition["description"], name
        assert all(it["description"] for it in mapping["properties"].values()), name
