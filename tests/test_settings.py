"""registry.toml: which layer wins, where a value came from, and how a mistake is answered."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import attrs
import pytest

from genre.errors import UsageError, nearest
from genre.options import Secret, structure
from genre.settings import Layer, Settings, load_settings, read_layer, read_toml


@attrs.frozen
class Limits:
    concurrency: int = attrs.field(default=4, validator=attrs.validators.ge(1))
    pause: float = 0.0


@attrs.frozen
class Options:
    model: str = "small"
    api_key: Secret | None = None
    speed: Literal["fast", "slow"] = "fast"
    limits: Limits = Limits()
    sizes: tuple[int, ...] = ()
    folder: Path | None = None
    folders: tuple[Path, ...] = ()
    verbose: bool = False


@attrs.frozen
class Required:
    folder: Path


def layer(folder: Path, origin: str, text: str) -> Layer:
    path = folder / origin / "registry.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return read_layer(origin, path)


def refusal(values: dict[str, object], cls: type = Options) -> str:
    with pytest.raises(UsageError) as caught:
        structure(values, cls, "file.toml:3, generators.gpt")
    return str(caught.value)


# -- layers -----------------------------------------------------------------------------------------------------


def test_the_project_overrides_the_user_and_the_user_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer(tmp_path, "genre", '[defaults]\ngenerator = "users"\n[tasks.news-summarizer]\nmax_length = 7\n')
    monkeypatch.setattr("click.get_app_dir", lambda name: str(tmp_path / name))
    assert load_settings(tmp_path).table("defaults") == {"generator": "users"}
    layer(tmp_path, "project", '[defaults]\ngenerator = "projects"\n')
    settings = load_settings(tmp_path / "project")
    assert settings.table("defaults") == {"generator": "projects"}
    assert settings.table("tasks", "news-summarizer") == {"max_length": 7}
    assert [each.origin for each in settings.layers] == ["built-in defaults", "user", "project"]


def test_the_project_s_file_is_searched_upwards(tmp_path: Path) -> None:
    layer(tmp_path, "project", '[defaults]\ngenerator = "projects"\n')
    deep = tmp_path / "project" / "a" / "b"
    deep.mkdir(parents=True)
    assert load_settings(deep).table("defaults")["generator"] == "projects"


def test_a_layer_put_over_others_wins(tmp_path: Path) -> None:
    settings = Settings((layer(tmp_path, "user", '[defaults]\ngenerator = "users"\n'),))
    settings = settings.over(Layer("experiment", {"defaults": {"generator": "experiments"}}))
    settings = settings.over(Layer("command line", {"defaults": {"generator": "mine"}}))
    assert settings.table("defaults") == {"generator": "mine"}
    assert settings.where("defaults", "generator") == "command line, defaults.generator"


def test_tables_merge_and_other_values_replace(tmp_path: Path) -> None:
    low = layer(tmp_path, "user", "[generators.g]\nsizes = [1, 2]\nlimits = { concurrency = 2, pause = 1.0 }\n")
    high = layer(tmp_path, "project", "[generators.g]\nsizes = [3]\n[generators.g.limits]\nconcurrency = 9\n")
    merged = Settings((low, high)).table("generators", "g")
    assert merged == {"sizes": [3], "limits": {"concurrency": 9, "pause": 1.0}}


def test_merging_changes_no_layer(tmp_path: Path) -> None:
    low = layer(tmp_path, "user", "[generators.g.limits]\npause = 1\n")
    high = layer(tmp_path, "project", "[generators.g.limits]\nconcurrency = 9\n")
    settings = Settings((low, high))
    assert settings.table("generators") == settings.table("generators")
    assert low.data == {"generators": {"g": {"limits": {"pause": 1}}}}


def test_a_table_that_no_layer_has_is_empty(tmp_path: Path) -> None:
    settings = Settings((layer(tmp_path, "user", ""),))
    assert settings.table("generators", "none") == {}
    assert settings.origin("generators", "none") is None
    assert settings.where("generators", "none") == "generators.none"


def test_a_message_can_say_file_and_line_of_the_deciding_value(tmp_path: Path) -> None:
    text = "# a comment\n[defaults]\ngenerator = 'a'\n\n[generators.g]\nmodel = 'm'\n"
    low, high = layer(tmp_path, "user", text), layer(tmp_path, "project", "[generators.h]\nmodel = 'n'\n")
    settings = Settings((low, high))
    assert settings.where("generators", "g", "model") == f"{low.path}:6, generators.g.model"
    assert settings.where("generators", "g") == f"{low.path}:5, generators.g"
    assert settings.where("generators", "h") == f"{high.path}:1, generators.h"
    assert settings.where("defaults", "generator") == f"{low.path}:3, defaults.generator"


def test_relative_paths_refer_to_the_file_that_says_them(tmp_path: Path) -> None:
    low = layer(tmp_path, "user", "[generators.g]\nfolder = 'a'\nfolders = ['b', '/c']\n")
    high = layer(tmp_path, "project", "[generators.g]\nmodel = 'd'\n")
    table = Settings((low, high)).located(Options, "generators", "g")
    options = structure(table, Options, "here")
    assert options.folder == tmp_path / "user" / "a"
    assert options.folders == (tmp_path / "user" / "b", Path("/c"))
    assert options.model == "d"


# -- mistakes in files ------------------------------------------------------------------------------------------


def test_a_file_that_is_not_toml_is_an_error_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"registry\.toml: not valid TOML.*line 2"):
        layer(tmp_path, "user", "[defaults]\ngenerator = \n")


def test_a_file_that_is_not_utf8_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "registry.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(UsageError, match="not valid TOML"):
        read_layer("user", tmp_path / "registry.toml")


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read_layer("user", tmp_path / "registry.toml")


def test_an_unknown_table_is_an_error_with_line_and_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"registry\.toml:3: unknown table 'generator'") as caught:
        layer(tmp_path, "user", "[defaults]\ngenerator = 'a'\n[generator.x]\n")
    assert "did you mean 'generators'?" in str(caught.value)


def test_a_value_where_a_table_belongs_is_an_error(tmp_path: Path) -> None:
    settings = Settings((layer(tmp_path, "user", "generators = 3\n"),))
    with pytest.raises(UsageError, match=r"registry\.toml: generators is 3, and a table is expected"):
        settings.table("generators", "gpt")


# -- structuring ------------------------------------------------------------------------------------------------


def test_values_become_options() -> None:
    values = {"model": "m", "api_key": {"env": "KEY"}, "speed": "slow", "limits": {"pause": 1}, "sizes": [1, 2]}
    assert structure(values, Options, "here") == Options(
        model="m", api_key=Secret("KEY"), speed="slow", limits=Limits(pause=1.0), sizes=(1, 2)
    )


def test_an_unknown_option_is_an_error_with_place_and_nearest_name() -> None:
    message = refusal({"modle": "m"})
    assert message.startswith("file.toml:3, generators.gpt: unknown option 'modle'")
    assert "did you mean 'model'?" in message


def test_an_unknown_option_of_an_inner_table_is_an_error_of_that_table() -> None:
    message = refusal({"limits": {"concurency": 3}})
    assert "generators.gpt.limits: unknown option 'concurency'" in message
    assert "did you mean 'concurrency'?" in message


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({"model": 3}, "3 is not of type str"),
        ({"verbose": 1}, "1 is not of type bool"),
        ({"verbose": "yes"}, "'yes' is not of type bool"),
        ({"sizes": [1, "2"]}, "'2' is not of type int"),
        ({"sizes": [True]}, "True is not of type int"),
        ({"limits": {"pause": "1"}}, "'1' is not of type float"),
        ({"limits": {"concurrency": 0}}, "concurrency"),
        ({"folder": 3}, "3 is not of type str"),
        ({"speed": "medium"}, "medium"),
        ({"limits": 3}, "limits"),
    ],
)
def test_a_wrong_value_is_an_error_that_shows_it(values: dict[str, object], shown: str) -> None:
    message = refusal(values)
    assert shown in message
    assert f"generators.gpt.{next(iter(values))}" in message


def test_a_missing_option_is_an_error_that_names_it() -> None:
    assert "the option 'folder' is missing" in refusal({}, Required)


def test_a_misspelt_required_option_is_an_unknown_one() -> None:
    assert "unknown option 'foldr'" in refusal({"foldr": "x"}, Required)


# -- secrets ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["sk-hush", ["sk-hush"], {"key": "sk-hush"}, {"env": ["sk-hush"]}])
def test_a_secret_in_clear_text_is_refused_and_not_repeated(value: object) -> None:
    with pytest.raises(UsageError) as caught:
        structure({"api_key": value}, Options, "file.toml:3, generators.gpt")
    shown = f"{caught.value!s} {caught.value!r} {caught.value.__cause__!r}"
    assert "sk-hush" not in shown
    assert "generators.gpt.api_key" in str(caught.value)
    assert '{ env = "MY_API_KEY" }' in str(caught.value)


def test_a_secret_is_read_when_it_is_used_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENRE_TEST_SECRET", "sk-hush")
    secret = Secret("GENRE_TEST_SECRET")
    assert secret.reveal() == "sk-hush"
    assert "sk-hush" not in f"{secret!r} {secret!s} {attrs.asdict(secret)}"


@pytest.mark.parametrize("value", [None, ""])
def test_a_secret_that_is_not_set_is_an_error_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("GENRE_TEST_SECRET", raising=False)
    if value is not None:
        monkeypatch.setenv("GENRE_TEST_SECRET", value)
    with pytest.raises(UsageError, match="export GENRE_TEST_SECRET="):
        Secret("GENRE_TEST_SECRET").reveal()


@pytest.mark.parametrize("value", ["sk-hush\n", "sk-hush\r", "sk-hüsh"])
def test_a_secret_with_a_character_that_no_header_holds_is_told_without_its_value(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("GENRE_TEST_SECRET", value)
    with pytest.raises(UsageError, match="GENRE_TEST_SECRET") as caught:
        Secret("GENRE_TEST_SECRET").reveal()
    assert "sk-h" not in f"{caught.value} {caught.value.remedy}"


# -- paths and unreadable files ---------------------------------------------------------------------------------


def test_a_file_below_a_file_is_an_error_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "registry.toml").write_text("")
    with pytest.raises(UsageError, match=r"registry\.toml/mine\.toml: cannot be read") as caught:
        read_toml(tmp_path / "registry.toml" / "mine.toml")
    assert caught.value.remedy


def test_a_folder_in_place_of_a_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_toml(tmp_path)


def test_the_home_folder_of_nobody_is_an_error_with_its_line(tmp_path: Path) -> None:
    low = layer(tmp_path, "user", "[generators.g]\nfolder = '~nobodyx/x'\n")
    with pytest.raises(UsageError, match=r"registry\.toml:2, generators\.g\.folder: .*'~nobodyx/x'"):
        Settings((low,)).located(Options, "generators", "g")


def test_the_home_folder_of_nobody_is_a_wrong_value() -> None:
    assert "generators.gpt.folder: wrong value: " in refusal({"folder": "~nobodyx/x"})


@attrs.frozen
class Postponed:
    folder: "Path | None" = None
    folders: "tuple[Path, ...]" = ()
    named: "dict[str, Path]" = attrs.field(factory=dict)


def test_paths_of_postponed_annotations_are_resolved(tmp_path: Path) -> None:
    low = layer(tmp_path, "user", "[generators.g]\nfolder = 'a'\nfolders = ['b']\n")
    options = structure(Settings((low,)).located(Postponed, "generators", "g"), Postponed, "here")
    assert options == Postponed(tmp_path / "user" / "a", (tmp_path / "user" / "b",))


def test_each_path_of_a_table_refers_to_the_file_that_says_it(tmp_path: Path) -> None:
    low = layer(tmp_path, "user", "[generators.g.named]\none = 'a'\ntwo = 'b'\n")
    high = layer(tmp_path, "project", "[generators.g.named]\ntwo = 'c'\n")
    options = structure(Settings((low, high)).located(Postponed, "generators", "g"), Postponed, "here")
    assert options.named == {"one": tmp_path / "user" / "a", "two": tmp_path / "project" / "c"}


# -- names ------------------------------------------------------------------------------------------------------


def test_few_valid_names_are_listed_and_many_are_not() -> None:
    few = [f"name-{number}" for number in range(10)]
    assert nearest("nam-3", few).startswith("did you mean 'name-3'? (valid: name-0, ")
    many = [f"name-{number}" for number in range(60)]
    assert "did you mean 'name-3'?" in nearest("nam-3", many)
    assert "name-4" not in nearest("nam-3", many)
    assert "there are 60" in nearest("xyz", many)
    assert "there are none" in nearest("xyz", [])


def test_only_some_of_very_many_names_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    def matches(_word: str, names: Iterable[str], **_: object) -> list[str]:
        compared.extend(names)
        return []

    monkeypatch.setattr("difflib.get_close_matches", matches)
    assert "there are 100000" in nearest("N", (f"N{number}" for number in range(100_000)))
    assert len(compared) <= 2000


def test_the_place_of_a_value_whose_file_is_gone_has_no_line(tmp_path: Path) -> None:
    low = layer(tmp_path, "user", "[defaults]\ngenerator = 'a'\n")
    assert low.path is not None
    low.path.unlink()
    assert Settings((low,)).where("defaults", "generator") == f"{low.path}, defaults.generator"


@attrs.frozen
class Lists:
    splits: tuple[str, ...] = ()
    widths: tuple[int, ...] = ()


@pytest.mark.parametrize("value", ["dev", 3, {"dev": 1}, None])
def test_what_is_no_list_is_not_taken_for_one(value: object) -> None:
    with pytest.raises(UsageError, match=r"there\.splits"):
        structure({"splits": value}, Lists, "there")


def test_a_list_and_its_items_are_read() -> None:
    assert structure({"splits": ["dev"], "widths": [8, 4]}, Lists, "there") == Lists(("dev",), (8, 4))
    with pytest.raises(UsageError, match=r"there\.widths"):
        structure({"widths": [8, "4"]}, Lists, "there")


@attrs.frozen
class Member:
    speed: Literal["slow", "fast"] = "slow"
    size: int = 1


@attrs.frozen
class Tables:
    widths: Mapping[Literal["topics", "regions"], int] = attrs.field(factory=dict)
    members: dict[str, Member] = attrs.field(factory=dict)
    rows: tuple[Member, ...] = ()
    pair: tuple[str, str] = ("a", "b")
    share: float | None = None


def test_infinity_is_a_number_for_limits_that_are_never_met() -> None:
    assert structure({"share": float("inf")}, Tables, "there").share == float("inf")


def test_tables_of_tables_and_lists_of_tables_are_read() -> None:
    values = {"widths": {"topics": 3}, "members": {"a": {"speed": "fast"}}, "rows": [{"size": 2}], "pair": ["x", "y"]}
    expected = Tables({"topics": 3}, {"a": Member("fast")}, (Member(size=2),), ("x", "y"))
    assert structure(values, Tables, "there") == expected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"widths": "topics"}, "there.widths: wrong value: 'topics' is no table"),
        ({"widths": {"topics": "3"}}, "there.widths.topics: wrong value: '3' is not of type int"),
        ({"widths": {"topic": 3}}, "there.widths.topic: wrong value: 'topic'\n  -> did you mean 'topics'?"),
        ({"members": {"a": 3}}, "there.members.a: wrong value: 3 is no table"),
        ({"members": {"a": {"sped": "slow"}}}, "there.members.a: unknown option 'sped'\n  -> did you mean 'speed'?"),
        ({"members": {"a": {"speed": "fats"}}}, "there.members.a.speed: wrong value: 'fats'\n  -> did you mean 'fast'"),
        ({"rows": [{}, {"size": "1"}]}, "there.rows[1].size: wrong value: '1' is not of type int"),
        ({"share": float("nan")}, "there.share: wrong value: nan is no number"),
        ({"pair": "ab"}, "there.pair: wrong value: 'ab' is no list"),
        ({"pair": ["a"]}, "there.pair: wrong value: ['a'] has 1 items, and 2 are expected"),
    ],
)
def test_an_error_deep_in_tables_names_all_of_the_way(values: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        structure(values, Tables, "there")
    assert str(caught.value).startswith(message)
