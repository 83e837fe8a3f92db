"""The registry: parts by kind and name, how conflicts are answered, making parts, and events."""

from pathlib import Path

import pytest
from plugin_packages import PART, configured, install

from genre import hookimpl
from genre.errors import RunError, RunVetoed, UsageError
from genre.parts import RunPlan
from genre.registry import PluginWarning, Registry
from genre.settings import Layer, Settings

# -- what hooks yield -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("yield 3", "yielded 3"),
        ("yield {'name': 'x'}", "yielded {'name': 'x'}"),
        ("return None", "failed"),
        ("raise RuntimeError('tired')", "tired"),
        ("yield Part(name='Two Words', summary='s', target='a:b')", "'Two Words'"),
        ("yield Part(name='two', summary='s', target='os.system(1)')", "import string"),
    ],
)
def test_a_hook_that_yields_something_else_is_an_error_that_names_it(tmp_path: Path, body: str, shown: str) -> None:
    (tmp_path / "mine").mkdir()
    code = f"from genre import hookimpl\nfrom genre.parts import Part\n@hookimpl\ndef genre_tasks():\n    {body}\n"
    (tmp_path / "mine" / "odd.py").write_text(code)
    with pytest.raises(UsageError) as caught:
        Registry.load(configured(tmp_path, '[plugins]\nfolders = ["mine"]\n'), strict=True)
    assert "its hook genre_tasks" in str(caught.value)
    assert "odd.py" in str(caught.value)
    assert shown in str(caught.value)


def test_a_record_of_the_wrong_kind_is_an_error_that_says_what_was_expected(site: Path) -> None:
    install(site, "stranger-two", PART.replace("{name}", "x").replace("genre_datasets", "genre_encoders"))
    with pytest.raises(UsageError, match=r"of stranger-two failed.*genre_encoders yielded.*genre\.parts\.Encoder"):
        Registry.load(strict=True)


def test_a_hook_that_yields_something_else_is_a_warning_that_leaves_the_rest_working(site: Path) -> None:
    install(site, "stranger-two", PART.replace("{name}", "x").replace("genre_datasets", "genre_encoders"))
    with pytest.warns(PluginWarning, match="stranger-two"):
        registry = Registry.load()
    assert registry.get("dataset", "sample")


# -- names ------------------------------------------------------------------------------------------------------


def test_two_plugins_with_the_same_part_are_an_error_that_names_both(site: Path) -> None:
    install(site, "stranger-three", PART.replace("{name}", "same"))
    install(site, "stranger-four", PART.replace("{name}", "same"))
    with pytest.raises(UsageError, match="the dataset 'same' is offered by both") as caught:
        Registry.load()
    assert "stranger-three" in str(caught.value)
    assert "stranger-four" in str(caught.value)


def test_a_plugin_cannot_take_a_built_in_s_name(site: Path) -> None:
    install(site, "stranger-five", PART.replace("{name}", "mind"))
    with pytest.raises(UsageError, match="the dataset 'mind' is offered by both") as caught:
        Registry.load()
    assert "genre-rec" in str(caught.value)


def test_an_unknown_name_is_an_error_with_place_and_nearest_name() -> None:
    with pytest.raises(UsageError, match=r"mine\.toml:4: there is no dataset 'minds'") as caught:
        Registry.load().get("dataset", "minds", where="mine.toml:4")
    assert "did you mean 'mind'?" in str(caught.value)


def test_a_disabled_part_is_an_error_that_says_so(tmp_path: Path) -> None:
    registry = Registry.load(configured(tmp_path, '[plugins]\ndisabled = ["dataset/mi*"]\n'))
    [entry] = [each for each in registry.parts("dataset") if each.part.name == "mind"]
    assert entry.enabled is False
    with pytest.raises(UsageError, match=r"the dataset 'mind' is disabled in registry\.toml") as caught:
        registry.create("dataset", "mind", {})
    assert f"{tmp_path / 'registry.toml'}:2" in str(caught.value)
    assert registry.get("dataset", "sample").name == "sample"


def test_a_disabled_part_is_not_suggested(tmp_path: Path) -> None:
    registry = Registry.load(configured(tmp_path, '[plugins]\ndisabled = ["dataset/mind"]\n'))
    with pytest.raises(UsageError) as caught:
        registry.get("dataset", "minds")
    assert "'mind'" not in str(caught.value).replace("'minds'", "")


# -- making parts -----------------------------------------------------------------------------------------------


def test_an_unknown_option_of_a_part_is_an_error_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown option 'sed'") as caught:
        Registry.load().create("dataset", "sample", {"sed": 3})
    assert "did you mean 'seed'?" in str(caught.value)


def test_options_for_a_part_without_any_are_an_error(site: Path) -> None:
    install(site, "stranger-six", PART.replace("{name}", "bare"))
    with pytest.raises(UsageError, match="unknown option 'size'"):
        Registry.load().create("dataset", "bare", {"size": 3})


def test_a_target_that_cannot_be_imported_is_an_error_when_it_is_used(site: Path) -> None:
    install(site, "stranger-seven", PART.replace("{name}", "hollow").replace(":read", ":raed"))
    registry = Registry.load(strict=True)
    with pytest.raises(UsageError, match="cannot import 'stranger_seven:raed'"):
        registry.create("dataset", "hollow", {})


def test_a_plugin_can_veto_a_run_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    code = "from genre import hookimpl\n@hookimpl\ndef genre_run_planned(plan):\n    return f'no {plan.name} today'\n"
    (tmp_path / "mine" / "guard.py").write_text(code)
    registry = Registry.load(configured(tmp_path, '[plugins]\nfolders = ["mine"]\n'))
    with pytest.raises(RunVetoed, match="no big today"):
        registry.announce_plan(RunPlan("big", ()))


# -- events -----------------------------------------------------------------------------------------------------


class Listener:
    """Vetoes runs, counts them, or fails, as told."""

    def __init__(self, answer: object = None) -> None:
        self.answer = answer
        self.plans: list[RunPlan] = []

    @hookimpl
    def genre_run_planned(self, plan: RunPlan) -> object:
        self.plans.append(plan)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_plan_that_nobody_vetoes_goes_on() -> None:
    registry, listener, plan = Registry.load(), Listener(), RunPlan("big", ())
    registry.manager.register(listener)
    registry.announce_plan(plan)
    assert listener.plans == [plan]


def test_a_listener_that_fails_is_an_error_that_names_plugin_and_hook(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    code = "from genre import hookimpl\n@hookimpl\ndef genre_run_planned(plan):\n    raise KeyError('oops')\n"
    (tmp_path / "mine" / "clumsy.py").write_text(code)
    registry = Registry.load(configured(tmp_path, '[plugins]\nfolders = ["mine"]\n'))
    with pytest.raises(RunError, match=r"clumsy.*genre_run_planned: KeyError\('oops'\)"):
        registry.announce_plan(RunPlan("big", ()))


def test_an_error_that_a_listener_raises_on_purpose_is_left_as_it_is() -> None:
    registry = Registry.load()
    registry.manager.register(Listener(UsageError("not on a Sunday")))
    with pytest.raises(UsageError, match="not on a Sunday"):
        registry.announce_plan(RunPlan("big", ()))


def test_answers_of_listeners_are_collected_and_silence_is_not() -> None:
    registry = Registry.load()
    for answer in ("one", None, "two"):
        registry.manager.register(Listener(answer))
    assert registry.announce("genre_run_planned", plan=RunPlan("big", ())) == ["two", "one"]


def test_a_hook_wrapper_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    code = "from genre import hookimpl\n@hookimpl(wrapper=True)\ndef genre_run_planned(plan):\n    return (yield)\n"
    (tmp_path / "mine" / "wrapping.py").write_text(code)
    with pytest.warns(PluginWarning, match=r"wrapping.*genre_run_planned is a wrapper"):
        Registry.load(configured(tmp_path, '[plugins]\nfolders = ["mine"]\n'))


# -- other settings ---------------------------------------------------------------------------------------------


def test_other_settings_reload_nothing_when_they_say_nothing_of_plugins() -> None:
    registry = Registry.load()
    other = registry.with_settings(registry.settings.over(Layer("experiment", {"defaults": {"generator": "g"}})))
    assert other.manager is registry.manager
    assert other.settings.table("defaults") == {"generator": "g"}


def test_a_plugin_registered_by_hand_still_vetoes_under_other_plugins(tmp_path: Path) -> None:
    registry = Registry.load()
    registry.manager.register(Listener("not today"), name="by:hand")
    other = registry.with_settings(
        registry.settings.over(Layer("experiment", {"plugins": {"disabled": ["dataset/mind"]}}))
    )
    assert other.manager is not registry.manager
    assert not next(entry for entry in other.parts("dataset") if entry.part.name == "mind").enabled
    with pytest.raises(RunVetoed, match="not today"):
        other.announce_plan(RunPlan("big", ()))


def test_strictness_is_kept_under_other_plugins(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "broken.py").write_text("raise RuntimeError('no')\n")
    registry = Registry.load(strict=True)
    layer = Layer("experiment", {"plugins": {"folders": ["mine"]}}, tmp_path / "experiment.toml")
    with pytest.raises(UsageError, match=r"broken.*failed to load"):
        registry.with_settings(registry.settings.over(layer))


def test_the_same_folders_of_another_file_are_other_plugins(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "mine").mkdir(parents=True)
        code = PART.replace("{name}", name).replace("{module}", f"genre_local_only_{name}")
        (tmp_path / name / "mine" / f"only_{name}.py").write_text(code)
    first, second = (
        Settings((Layer(name, {"plugins": {"folders": ["mine"]}}, tmp_path / name / "registry.toml"),)) for name in "ab"
    )
    registry = Registry.load(first).with_settings(second)
    names = {entry.part.name for entry in registry.parts("dataset")}
    assert "b" in names
    assert "a" not in names


@pytest.mark.parametrize(
    ("text", "place", "advice"),
    [
        ("\n[tasks.user-profilr]\nlimit = 3\n", "registry.toml:2", "did you mean 'user-profiler'?"),
        ("[defaults]\ngenerater = 'local'\n", "registry.toml:2", "did you mean 'generator'?"),
    ],
)
def test_an_unknown_task_or_default_is_an_error_with_line_and_nearest_name(
    tmp_path: Path, text: str, place: str, advice: str
) -> None:
    settings = configured(tmp_path, text)
    for make in (Registry.load, Registry.load().with_settings):
        with pytest.raises(UsageError) as caught:
            make(settings)
        assert place in str(caught.value)
        assert advice in str(caught.value)


def test_a_disabled_task_is_a_known_one(tmp_path: Path) -> None:
    text = "[plugins]\ndisabled = ['task/user-profiler']\n[tasks.user-profiler]\ngenerator = 'local'\n"
    registry = Registry.load(configured(tmp_path, text))
    assert "user-profiler" in [entry.part.name for entry in registry.parts("task") if not entry.enabled]


# -- who provides a part ----------------------------------------------------------------------------------------


def test_the_release_of_an_unknown_part_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="there is no news-encoder 'nmrs'") as caught:
        Registry.load().release("news-encoder", "nmrs")
    assert caught.value.remedy


def test_a_part_that_no_pattern_enables_is_an_error_that_points_to_enabled(tmp_path: Path) -> None:
    registry = Registry.load(configured(tmp_path, "[plugins]\nenabled = ['dataset/sample']\n"))
    with pytest.raises(UsageError, match=r"registry\.toml:2, plugins\.enabled") as caught:
        registry.get("dataset", "mind")
    assert "'dataset/mind' to `enabled`" in str(caught.value)
