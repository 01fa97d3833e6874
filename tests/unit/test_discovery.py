"""Where plugins are found, and that what is wrong with one concerns it alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from host.declaration.nodes import Plugin
from host.declaration.problems import Problems
from host.discovery import discover, load
from host.discovery.hooks import make_hooks
from host.errors import ConfigurationError, DeclarationError
from host.fields.kinds import kinds, vocabulary


def site(root: Path, *plugins: str) -> None:
    (root / "resources.yaml").write_text(
        f"grammar: 1\nsite: {{name: Test, plugins: [{', '.join(plugins)}]}}\n"
    )


def plugin(root: Path, name: str, code: str = "") -> Path:
    folder = root / "plugins" / name
    folder.mkdir(parents=True)
    (folder / "plugin.yaml").write_text(f"name: {name}\nversion: 0.1.0\n")
    call = f"grammar: 1\nendpoints: {{ping: {{path: /api/{name}, access: public, call: actions.ping}}}}\n"
    if code:
        (folder / "actions.py").write_text(code)
        (folder / "resources.yaml").write_text(call)
    return folder


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str) -> None:
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[hostwright.plugins]\n{name} = {package}\n")
    monkeypatch.syspath_prepend(str(folder))


def linked(root: Path) -> dict[str, Plugin]:
    return {it.name: it for it in load(root, vocabulary(kinds())).declaration.plugins}


def test_folder_without_a_site_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no resources\.yaml"):
        load(tmp_path, vocabulary(kinds()))


def test_only_enabled_plugins_are_linked(tmp_path: Path) -> None:
    site(tmp_path, "one")
    plugin(tmp_path, "one")
    (plugin(tmp_path, "two") / "resources.yaml").write_text("this: is broken")
    assert [name for name in linked(tmp_path) if name != "host"] == ["one", "site"]


def test_folder_is_imported_when_called(tmp_path: Path) -> None:
    site(tmp_path, "one")
    plugin(tmp_path, "one", "from . import other\ndef ping(ctx, data): return other.VALUE\n")
    (tmp_path / "plugins/one/other.py").write_text("VALUE = 7\n")
    found = load(tmp_path, vocabulary(kinds()))
    one = next(it for it in found.declaration.plugins if it.name == "one")
    assert found.import_function(one, "actions.ping")(None, None) == 7
    assert one.package == "host_plugins.one"


def test_two_sites_have_their_own_plugins(tmp_path: Path) -> None:
    for number in (1, 2):
        root = tmp_path / str(number)
        plugin(root, "same", f"def ping(ctx, data): return {number}\n")
        site(root, "same")
    pings = []
    for number in (1, 2):
        found = load(tmp_path / str(number), vocabulary(kinds()))
        same = next(it for it in found.declaration.plugins if it.name == "same")
        pings.append(found.import_function(same, "actions.ping"))
    assert [ping(None, None) for ping in pings] == [1, 2]


def test_installed_plugin_is_read_without_importing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "lib" / "wheel_plugin_a"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "plugin.yaml").write_text("name: bills\nversion: 1.0.0\n")
    (package / "resources.yaml").write_text("grammar: 1\nresources: {bill: {access: public}}\n")
    install(tmp_path / "lib", monkeypatch, "bills", "wheel_plugin_a")
    site(tmp_path, "bills")
    assert linked(tmp_path)["bills"].package == "wheel_plugin_a"
    assert "wheel_plugin_a" not in sys.modules


def test_broken_installation_harms_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "lib", monkeypatch, "ghost", "package_that_is_gone")
    plugin(tmp_path, "one")
    site(tmp_path, "one")
    found = discover(tmp_path, Problems())
    assert [it.name for it in found.enabled] == ["one"]
    assert [it.code for it in found.broken] == ["plugin_broken"]


def test_broken_plugin_that_is_enabled_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "lib", monkeypatch, "ghost", "package_that_is_gone")
    site(tmp_path, "ghost")
    with pytest.raises(DeclarationError) as raised:
        linked(tmp_path)
    assert str(raised.value) == (
        'resources.yaml:2:30 site.plugins[0]: the plugin "ghost" cannot be used: '
        'the entry point names "package_that_is_gone", which is no package with a plugin.yaml'
    )


def test_two_plugins_of_one_name_are_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "lib" / "wheel_plugin_b"
    package.mkdir(parents=True)
    (package / "plugin.yaml").write_text("name: one\nversion: 1.0.0\n")
    install(tmp_path / "lib", monkeypatch, "one", "wheel_plugin_b")
    plugin(tmp_path, "one")
    site(tmp_path, "one")
    with pytest.raises(
        DeclarationError, match='there are several plugins "one": plugins/one, wheel_plugin_b'
    ):
        linked(tmp_path)


def test_hooks_are_asked_in_reverse(tmp_path: Path) -> None:
    site(tmp_path, "one", "two")
    for name in ("one", "two"):
        hooks = (
            f"from host.hookspecs import hookimpl\n@hookimpl\ndef authenticate(request): return '{name}'\n"
        )
        (plugin(tmp_path, name) / "hooks.py").write_text(hooks)
    manager = make_hooks(discover(tmp_path, Problems()).enabled)
    assert manager.hook.authenticate(request=None) == "two"


@pytest.mark.parametrize("code", ["import nothing_like_it", "@hookimpl\ndef authenticat(request): ..."])
def test_broken_hooks_are_told(tmp_path: Path, code: str) -> None:
    site(tmp_path, "one")
    (plugin(tmp_path, "one") / "hooks.py").write_text(f"from host.hookspecs import hookimpl\n{code}\n")
    with pytest.raises(DeclarationError, match="its hooks cannot be used"):
        make_hooks(discover(tmp_path, Problems()).enabled)
