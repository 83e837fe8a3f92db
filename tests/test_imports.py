"""`import genre` and `genre --help` stay light; speed itself is measured by `benchmarks/`."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "litellm", "ray", "transformers", "xllamacpp", "sklearn", "tensorboard", "mlflow", "matplotlib")


@pytest.mark.parametrize(
    "statement",
    [
        "import genre",
        "import genre.parts",
        "import genre_gates.history_similarity",
        "from genre.registry import Registry; Registry.load().parts()",
        "import sys; sys.argv = ['genre', '--help']; from genre.cli.main import main; main()",
        "import sys; sys.argv = ['genre', 'plugins', 'list', '--json']; from genre.cli.main import main; main()",
    ],
)
def test_nothing_heavy_is_imported(statement: str) -> None:
    code = f"{statement}\nimport sys\nprint('heavy:', [name for name in {HEAVY!r} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert printed.splitlines()[-1] == "heavy: []"


def test_every_public_name_can_be_imported() -> None:
    import genre
    import genre.experiments
    import genre.modeling

    for module in (genre, genre.experiments, genre.modeling):
        for name in module.__all__:
            assert getattr(module, name) is not None


def test_every_part_s_code_and_options_can_be_imported() -> None:
    from genre.parts import Part
    from genre.registry import Registry, load_import_string

    for entry in Registry.load(strict=True).parts():
        if isinstance(entry.part, Part):
            assert callable(load_import_string(entry.part.target))
            if entry.part.options:
                load_import_string(entry.part.options)


def test_every_task_and_baseline_names_parts_that_exist() -> None:
    from genre.registry import Registry

    registry = Registry.load(strict=True)
    tasks = [registry.task(entry.part.name) for entry in registry.parts("task")]
    baselines = [registry.baseline(entry.part.name) for entry in registry.parts("baseline")]
    assert tasks
    assert baselines
    for task in tasks:
        assert registry.get("prompter", task.prompter)
        assert registry.get("updater", task.updater)
    for baseline in baselines:
        assert registry.get("news-encoder", baseline.news_encoder)
        assert registry.get("user-encoder", baseline.user_encoder)
        assert registry.get("interaction", baseline.interaction)
        assert all(registry.get("field-encoder", name) for name in baseline.field_encoders.values())
