"""Size habits: a function fits on a screen, a module holds one concept. When one outgrows that, a concept wants a name."""

import ast

import pytest

from tests.architecture.sources import PACKAGES, ROOT, functions, sources

MAX_MODULE_LINES = 500
MAX_FUNCTION_LINES = 80
UNFINISHED = ("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error")


@pytest.fixture(scope="module")
def modules() -> dict[str, ast.Module]:
    return sources(*PACKAGES, "bench")


def test_modules_have_at_most_500_lines(modules: dict[str, ast.Module]) -> None:
    sizes = {path: (ROOT / path).read_text(encoding="utf-8").count("\n") for path in modules}
    assert {path: size for path, size in sizes.items() if size > MAX_MODULE_LINES} == {}


def test_functions_have_at_most_80_lines(modules: dict[str, ast.Module]) -> None:
    long = [
        f"{path}:{line} {name} has {size} lines"
        for path, tree in modules.items()
        for name, line, size in functions(tree)
        if size > MAX_FUNCTION_LINES
    ]
    assert long == []


def test_every_module_says_what_it_is_for(modules: dict[str, ast.Module]) -> None:
    silent = [path for path, tree in modules.items() if tree.body and not ast.get_docstring(tree)]
    assert silent == []


def test_nothing_is_left_unfinished(modules: dict[str, ast.Module]) -> None:
    marks = [
        f"{path}:{number} {mark}"
        for path in modules
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1)
        for mark in UNFINISHED
        if mark in line
    ]
    assert marks == []


def test_lock_files_name_no_address() -> None:
    locks = sorted(ROOT.glob("requirements*.lock"))
    assert len(locks) == 3
    assert [path.name for path in locks if "://" in path.read_text(encoding="utf-8")] == []
