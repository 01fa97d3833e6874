"""The document of the host itself, as it was reviewed. `HOSTWRIGHT_UPDATE_SNAPSHOTS=1 pytest …` writes it anew."""

import json
import os
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from host.testing.sites import Site
from host.web.documents import build_document

TESTS = Path(__file__).parents[1]
SNAPSHOT = TESTS / "snapshots" / "openapi.json"


def document_of(root: Path, folder: Path) -> dict:
    site = Site.make(root, f"sqlite:///{folder / 'host.db'}")
    document = build_document(site.app)
    site.close()
    return document


@pytest.fixture
def empty_site(tmp_path: Path) -> Path:
    (tmp_path / "resources.yaml").write_text("grammar: 1\nsite: {name: Empty}\n")
    return tmp_path


def test_document_of_the_host_is_as_reviewed(empty_site):
    document = document_of(empty_site, empty_site)
    document["info"]["version"] = "any"
    if os.environ.get("HOSTWRIGHT_UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    assert document == json.loads(SNAPSHOT.read_text())


def test_document_of_the_bundled_plugins_is_valid(tmp_path):
    document = document_of(TESTS.parent, tmp_path)
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    names = [item["operationId"] for path in document["paths"].values() for item in path.values()]
    assert len(names) == len(set(names))
