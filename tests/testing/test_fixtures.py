"""The fixtures that come with the distribution, as the author of a plugin uses them."""

import pytest

from host.testing.fixtures import complete, site_root

NOTE = """
resources:
  note: {fields: {title: {type: string, required: true}}, mixins: [owned], access: owner}
"""


def test_declared_site_serves(declare):
    site = declare(NOTE)
    ann, bob = site.as_actor("ann"), site.as_actor("bob")
    made = ann.post("/api/notes", json={"title": "Milk"})
    assert made.status_code == 201
    assert bob.get(made.headers["Location"]).status_code == 404


def test_two_declared_sites_do_not_meet(declare, tmp_path):
    first, second = declare(NOTE), declare(NOTE, database_url=f"sqlite:///{tmp_path / 'second.db'}")
    assert first.as_actor("ann").post("/api/notes", json={"title": "Milk"}).status_code == 201
    assert second.as_actor("ann").get("/api/notes").json["items"] == []


def test_head_of_a_site_may_be_left_out():
    assert complete("resources: {}") == "grammar: 1\nsite: {name: Test}\nresources: {}"
    assert complete("grammar: 1\nsite: {name: Own}") == "grammar: 1\nsite: {name: Own}"


def test_site_around_the_test_runs(client, as_actor):
    assert client.get("/api/clients").status_code == 401
    assert as_actor("ann").get("/api/clients").status_code == 200


def test_actor_may_have_a_role(declare):
    site = declare("resources: {secret: {fields: {a: string}, access: \"role('admin')\"}}")
    assert site.as_actor("root", role="admin").post("/api/secrets", json={}).status_code == 201
    assert site.as_actor("ann").post("/api/secrets", json={}).status_code == 403


def test_folder_without_a_site_is_told(tmp_path):
    with pytest.raises(pytest.UsageError, match=r"there is no resources\.yaml of a site above"):
        site_root(tmp_path / "test_x.py")
