"""Plugins of strangers for tests: packages in a site folder, and projects whose registry.toml names plugins."""

from pathlib import Path

from genre.settings import Settings, load_settings

PART = """
from genre import hookimpl
from genre.parts import Part

@hookimpl
def genre_datasets():
    yield Part(name="{name}", summary="A data set", target="{module}:read")

def read(options):
    return "read by {module}"
"""


def install(site: Path, distribution: str, code: str) -> str:
    """A distribution with one plugin module, as an installer leaves it in a site folder; returns the module's name."""
    module = distribution.replace("-", "_")
    (site / f"{module}.py").write_text(code.replace("{module}", module), encoding="utf-8")
    info = site / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[genre]\n{distribution} = {module}\n")
    return module


def configured(folder: Path, text: str) -> Settings:
    """Settings of a project with this registry.toml."""
    (folder / "registry.toml").write_text(text, encoding="utf-8")
    return load_settings(folder)
