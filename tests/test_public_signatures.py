"""No public signature says `Any`: what a caller may give, and gets back, is stated."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = (ROOT / "genre", ROOT / "plugins")


def is_public(name: str) -> bool:
    """Special methods are called by anybody, under other names."""
    return not name.startswith("_") or (name.startswith("__") and name.endswith("__"))


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(path for package in PACKAGES for path in package.rglob("*.py")):
        place = path.relative_to(ROOT)
        if all(is_public(part) for part in place.with_suffix("").parts):
            yield place.as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def annotations(nodes: list[ast.stmt]) -> Iterator[tuple[int, ast.expr]]:
    """Line and type of all that public functions, classes, variables and aliases of a body declare."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and is_public(node.name):
            arguments = node.args
            every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
            for declared in [*(each.annotation for each in every if each is not None), node.returns]:
                if declared is not None:
                    yield declared.lineno, declared
        elif isinstance(node, ast.ClassDef) and is_public(node.name):
            yield from ((base.lineno, base) for base in node.bases)
            yield from annotations(node.body)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and is_public(node.target.id):
            yield node.lineno, node.annotation
            if node.value is not None and "TypeAlias" in names(node.annotation):
                yield node.lineno, node.value
        elif isinstance(node, ast.Assign) and is_type_variable(node):
            yield node.lineno, node.value
        elif isinstance(node, ast.If | ast.Try):
            yield from annotations(node.body)


def is_type_variable(node: ast.Assign) -> bool:
    made = node.value
    public = any(isinstance(target, ast.Name) and is_public(target.id) for target in node.targets)
    return public and isinstance(made, ast.Call) and isinstance(made.func, ast.Name) and made.func.id == "TypeVar"


def names(declared: ast.expr) -> Iterator[str]:
    """Every name in a type, also in one that is written as a text."""
    for node in ast.walk(declared):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                yield from names(ast.parse(node.value, mode="eval").body)
            except SyntaxError:  # the text of a Literal
                continue


def test_no_public_signature_says_any() -> None:
    found = [
        f"{place}:{line}"
        for place, module in modules()
        for line, declared in annotations(module.body)
        if "Any" in names(declared)
    ]
    assert not found, "\n".join(["say what is meant, or `object`:", *found])


def test_all_that_is_public_is_looked_at() -> None:
    looked_at = {place for place, _ in modules()}
    assert {"genre/__init__.py", "genre/hooks.py", "genre/parts/generation.py", "genre/testing/check.py"} <= looked_at
    assert len(looked_at) > 200


@pytest.mark.parametrize(
    "code",
    [
        "def f(value: Any) -> None: ...",
        "def f() -> list[Any]: ...",
        "def f(*args: int, **kwargs: typing.Any) -> None: ...",
        "class C:\n    def __call__(self, value: 'dict[str, Any]') -> None: ...",
        "class C:\n    value: Any = 1",
        "class C(Base[Any]): ...",
        "T = TypeVar('T', bound=Callable[..., Any])",
        "Alias: TypeAlias = Callable[..., Any]",
        "if TYPE_CHECKING:\n    async def f(value: 'list[Any]') -> None: ...",
    ],
)
def test_any_is_found_wherever_it_is_written(code: str) -> None:
    assert any("Any" in names(declared) for _, declared in annotations(ast.parse(code).body))


@pytest.mark.parametrize(
    "code",
    [
        "def _f(value: Any) -> None: ...",
        "class _C:\n    def f(self) -> Any: ...",
        "def f() -> object:\n    value: Any = 1\n    return value",
        "def f(kind: Literal['Any of these']) -> AnyPart: ...",
    ],
)
def test_what_is_private_may_say_it(code: str) -> None:
    assert not any("Any" in names(declared) for _, declared in annotations(ast.parse(code).body))
