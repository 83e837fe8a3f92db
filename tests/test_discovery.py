"""Where plugins come from: entry points and folders, which parts of them are on, and plugins that do not load."""

from importlib import metadata
from pathlib import Path

import pytest
from plugin_packages import PART, configured, install

from genre.discovery import PluginSettings, load_import_string
from genre.errors import UsageError
from genre.registry import PluginWarning, Registry

# -- finding plugins --------------------------------------------------------------------------------------------


def test_the_built_in_data_sets_are_there() -> None:
    registry = Registry.load(strict=True)
    rows = {entry.part.name: entry.as_json() for entry in registry.parts("dataset")}
    assert rows["mind"]["distribution"] == "genre-rec"
    assert rows["mind"]["enabled"] is True
    assert set(rows["sample"]) == {"kind", "name", "distribution", "enabled", "summary"}


@pytest.mark.parametrize("name", ["mind", "sample"])
def test_the_built_in_data_sets_can_be_made(name: str) -> None:
    registry = Registry.load()
    part = registry.get("dataset", name)
    assert callable(load_import_string(part.target))  # type: ignore[union-attr]
    assert registry.options_class("dataset", name) is not None


def test_an_installed_package_is_found_by_its_entry_point(site: Path) -> None:
    install(site, "stranger-one", PART.replace("{name}", "strange"))
    registry = Registry.load(strict=True)
    [entry] = [each for each in registry.parts("dataset") if each.part.name == "strange"]
    assert entry.distribution == "stranger-one"
    assert registry.create("dataset", "strange", {}) == "read by stranger_one"


def test_a_folder_of_plugin_files_is_loaded_when_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    code = PART.replace("{name}", "homemade").replace("{module}", "genre_local_homemade")
    (tmp_path / "mine" / "homemade.py").write_text(code)
    without = Registry.load(configured(tmp_path, ""), strict=True)
    assert "homemade" not in [entry.part.name for entry in without.parts()]
    registry = Registry.load(configured(tmp_path, '[plugins]\nfolders = ["mine"]\n'), strict=True)
    assert registry.create("dataset", "homemade", {}) == "read by genre_local_homemade"
    [entry] = [each for each in registry.parts() if each.part.name == "homemade"]
    assert entry.distribution == str(tmp_path / "mine" / "homemade.py")


def test_a_plugin_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    settings = configured(tmp_path, '[plugins]\nfolders = ["mien"]\n')
    with pytest.raises(UsageError, match=r"registry\.toml:2, plugins\.folders: the plugin folder 'mien'"):
        Registry.load(settings)


def test_two_plugin_files_of_one_name_are_an_error(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "twin.py").write_text(
            PART.replace("{name}", folder).replace("{module}", "genre_local_twin")
        )
    settings = configured(tmp_path, '[plugins]\nfolders = ["a", "b"]\n')
    with pytest.raises(UsageError, match=r"two plugin files are called 'twin\.py'") as caught:
        Registry.load(settings)
    assert str(tmp_path / "a") in str(caught.value)
    assert str(tmp_path / "b") in str(caught.value)


# -- plugins that fail ------------------------------------------------------------------------------------------

BROKEN = {
    "an import that fails": "import no_such_module_anywhere\n",
    "an exception": "raise RuntimeError('no')\n",
    "a syntax error": "def\n",
    "a hook that does not exist": "from genre import hookimpl\n@hookimpl\ndef genre_nonsense():\n    return []\n",
}


@pytest.mark.parametrize("code", BROKEN.values(), ids=BROKEN)
def test_a_plugin_that_fails_to_load_is_a_warning_and_the_rest_works(tmp_path: Path, code: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "broken.py").write_text(code)
    settings = configured(tmp_path, '[plugins]\nfolders = ["mine"]\n')
    with pytest.warns(PluginWarning, match=r"broken.*failed to load"):
        registry = Registry.load(settings)
    assert registry.get("dataset", "mind").name == "mind"


@pytest.mark.parametrize("code", BROKEN.values(), ids=BROKEN)
def test_a_plugin_that_fails_to_load_is_an_error_under_strict(tmp_path: Path, code: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "broken.py").write_text(code)
    settings = configured(tmp_path, '[plugins]\nfolders = ["mine"]\n')
    with pytest.raises(UsageError, match=r"broken.*failed to load"):
        Registry.load(settings, strict=True)


# -- which parts are on -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("enabled", "disabled", "expected"),
    [
        (("*/*",), (), True),
        (("dataset/*",), (), True),
        (("task/*",), (), False),
        (("*/*",), ("*/mind",), False),
        (("*/*",), ("task/mind",), True),
        ((), (), False),
    ],
)
def test_a_part_is_on_when_enabled_matches_and_disabled_does_not(
    enabled: tuple[str, ...], disabled: tuple[str, ...], expected: bool
) -> None:
    assert PluginSettings(enabled, disabled).is_enabled("dataset", "mind") is expected


def test_an_unknown_option_of_plugins_is_an_error_with_its_line(tmp_path: Path) -> None:
    settings = configured(tmp_path, '\n[plugins]\ndisable = ["x"]\n')
    with pytest.raises(UsageError, match=r"registry\.toml:2, plugins: unknown option 'disable'") as caught:
        Registry.load(settings)
    assert "did you mean 'disabled'?" in str(caught.value)


# -- whose release a part is ------------------------------------------------------------------------------------


def test_the_release_of_a_plugin_file_changes_with_its_content(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    code = PART.replace("{name}", "homemade").replace("{module}", "genre_local_changing")
    settings = configured(tmp_path, '[plugins]\nfolders = ["mine"]\n')
    releases = set()
    for each in (code, f"{code}\n# changed\n"):
        (tmp_path / "mine" / "changing.py").write_text(each)
        releases.add(Registry.load(settings).release("dataset", "homemade"))
    assert len(releases) == 2


def test_an_entry_point_without_a_distribution_has_a_release(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (site / "orphan.py").write_text(PART.replace("{name}", "orphan").replace("{module}", "orphan"))
    entry = metadata.EntryPoint("orphan", "orphan", "genre")
    monkeypatch.setattr(metadata, "entry_points", lambda group: [entry])
    assert Registry.load().release("dataset", "orphan") == "an unknown distribution"
