"""Who may import whom: infra → (api | streams) → (commands | projections) → domain, and each driver in its place."""

import subprocess
import sys

import pytest

from tests.architecture.sources import PACKAGES, ROOT, imports, sources

DOMAIN_MAY_IMPORT = {"msgspec", "lark", "lxml", "re2"}
"""Beside the standard library and itself. re2: regular expressions in FEEL that end in linear time (an ADR says why)."""

ONLY_IN = {
    "psycopg": {"infra"},
    "psycopg_pool": {"infra"},
    "clickhouse_connect": {"infra"},
    "fastapi": {"api", "infra"},
    "starlette": {"api", "infra"},
    "uvicorn": {"infra"},
    "faust": {"streams", "infra"},
    "kafka": {"streams", "infra"},
    "httpx": {"infra"},
    "eventsourcing": {"commands", "projections", "infra"},
}
IMPURE = {"asyncio", "os", "random", "secrets", "socket", "subprocess", "threading", "time", "shutil", "tempfile"}
IMPURE_NAMES = {"uuid1", "uuid4", "getenv", "environ", "urandom", "open", "input", "print", "utcnow", "today"}


def test_import_linter_keeps_every_contract() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as main; main()", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(("library", "folders"), ONLY_IN.items())
def test_a_library_is_imported_only_where_it_belongs(library: str, folders: set[str]) -> None:
    elsewhere = [
        f"{path}:{line}"
        for path, tree in sources(*PACKAGES).items()
        for line, module in imports(tree)
        if module.split(".")[0] == library and path.split("/")[0] not in folders
    ]
    assert elsewhere == []


def test_the_domain_imports_only_the_standard_library_and_what_is_agreed() -> None:
    allowed = DOMAIN_MAY_IMPORT | {"domain"} | sys.stdlib_module_names
    strangers = [
        f"{path}:{line} imports {module}"
        for path, tree in sources("domain").items()
        for line, module in imports(tree)
        if module.split(".")[0] not in allowed
    ]
    assert strangers == []


def test_the_domain_has_no_clock_randomness_io_or_environment() -> None:
    impure = [
        f"{path}:{line} imports {module}"
        for path, tree in sources("domain").items()
        for line, module in imports(tree)
        if module.split(".")[0] in IMPURE
    ]
    assert impure + _impure_names() == []


def _impure_names() -> list[str]:
    import ast

    found = []
    for path, tree in sources("domain").items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = node.func
                name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
                if name in IMPURE_NAMES and not _is_own(called):
                    found.append(f"{path}:{node.lineno} calls {name}()")
                if name == "now" and ast.unparse(called) in {
                    "datetime.now",
                    "dt.datetime.now",
                    "datetime.datetime.now",
                }:
                    found.append(f"{path}:{node.lineno} reads the clock")
            elif isinstance(node, ast.ImportFrom):
                found += [
                    f"{path}:{node.lineno} imports {a.name}" for a in node.names if a.name in IMPURE_NAMES - {"open"}
                ]
    return found


def _is_own(called: object) -> bool:
    """A method of an object of the domain (`context.today()`), which is handed in, not the standard library's."""
    import ast

    return isinstance(called, ast.Attribute) and ast.unparse(called.value) not in {
        "date",
        "datetime",
        "dt.date",
        "uuid",
        "os",
    }


def test_only_settings_reads_the_environment() -> None:
    allowed = {"infra/settings.py", "infra/dev.py", "infra/embedded/postgres_host.py"}
    """dev passes its environment on to its children; postgres_host needs os.defpath, not a setting."""
    import ast

    readers = [
        f"{path}:{node.lineno}"
        for path, tree in sources(*PACKAGES).items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"} and path not in allowed
    ]
    assert readers == []
