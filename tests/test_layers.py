"""The package's shape: layers, and no special case for one model or study."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import stablib.mitigation
import stablib.workloads  # noqa: F401 - so that all recipes are known
from stablib.studies import papers, study_class
from stablib.training import Method, Recipe, Record

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "stablib"


def test_imports_go_one_way() -> None:
    """The contracts of pyproject.toml, which CONTRIBUTING.md states."""
    command = [str(Path(sys.executable).with_name("lint-imports"))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_metrics_import_numpy_and_scipy_alone() -> None:
    """The contract of pyproject.toml can only name what must not be there."""
    allowed = {"numpy", "scipy", "stablib", "__future__", *sys.stdlib_module_names}
    own = {"stablib.metrics", "stablib.errors"}
    for path in (PACKAGE / "metrics").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.partition(".")[0] in allowed, f"{path.name} imports {name}"
                inside = not name.startswith("stablib") or name.startswith(tuple(own))
                assert inside, f"{path.name} imports {name}"


def checked_classes(path: Path) -> set[str]:
    """Names of the classes that a file asks for with isinstance or issubclass."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        name = (
            node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        )
        if name in ("isinstance", "issubclass"):
            assert isinstance(node, ast.Call)
            found |= {n.id for n in ast.walk(node.args[1]) if isinstance(n, ast.Name)}
    return found


def test_nobody_asks_which_recipe_method_or_study_it_has() -> None:
    """A special case for one of them would have to be found and extended by each new paper."""
    classes = {c for family in (Recipe, Method) for c in family.kinds.values()}
    classes |= {study_class(paper) for paper in papers()}
    defined = {c.__name__: Path(sys.modules[c.__module__].__file__ or "") for c in classes}
    for path in PACKAGE.rglob("*.py"):
        elsewhere = {name for name in checked_classes(path) if defined.get(name, path) != path}
        assert not elsewhere, f"{path.relative_to(ROOT)} asks for {elsewhere}"


def test_every_kind_of_record_says_what_it_measures() -> None:
    for record in Record.kinds.values():
        assert issubclass(record, Record)
        assert record.measure


def test_nothing_seeds_a_global_generator() -> None:
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text("utf-8")
        for call in ("torch.manual_seed", "np.random.seed", "random.seed"):
            assert call not in text, f"{path.relative_to(ROOT)} calls {call}"
