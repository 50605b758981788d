"""What is written for users is true: examples run, tables are up to date, commands exist."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from docutils import nodes
from docutils.utils import new_document
from sphinx import addnodes

import stablib
from stablib import metrics, mitigation
from stablib.reproduce import pages
from stablib.reproduce.cli import app
from stablib.reproduce.notebooks import sections
from stablib.reproduce.parameters import convert, parse
from stablib.reproduce.sphinx_extension import index_exhibits, source_link
from stablib.studies import papers, study_class

ROOT = Path(__file__).parent.parent
SUBPACKAGES = (
    "data",
    "explain",
    "metrics",
    "mitigation",
    "runs",
    "show.widgets",
    "studies",
    "studies.local_instability",
    "studies.nondeterminism",
    "studies.random_seed",
    "studies.synthetic_irreproducibility",
    "training",
    "workloads",
    "workloads.attention",
    "workloads.images",
    "workloads.streams",
)
#: Pages for users and contributors that name commands.
PROSE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "book/rerun.md", "book/data.md")


def text(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


def public(subpackage: str) -> list[tuple[str, Any]]:
    module = importlib.import_module(f"stablib.{subpackage}")
    return [(name, getattr(module, name)) for name in module.__all__]


# Docstrings.


@pytest.mark.parametrize("subpackage", SUBPACKAGES)
def test_public_names_have_docstrings(subpackage: str) -> None:
    for name, found in public(subpackage):
        if inspect.isclass(found) or inspect.isfunction(found):
            assert vars(found).get("__doc__") if inspect.isclass(found) else found.__doc__, name
            continue
        sources = (p.read_text("utf-8") for p in (ROOT / "stablib").rglob("*.py"))
        comment = re.compile(rf"^#: .+\n(#: .+\n)*{name}\b", re.MULTILINE)
        assert any(comment.search(source) for source in sources), f"{name}: no comment '#:'"


def plain_functions() -> list[Any]:
    every = [getattr(m, name) for m in (metrics, mitigation) for name in m.__all__]
    return [found for found in every if inspect.isfunction(found)]


@pytest.mark.parametrize("function", plain_functions(), ids=lambda f: f.__name__)
def test_metrics_and_plain_methods_have_examples(function: Any) -> None:
    _, _, example = inspect.getdoc(function).partition("\nExamples\n--------\n")
    assert ">>> " in example


# Pages.


def blocks(path: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text(path), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("path", ["README.md", "book/rerun.md"])
def test_python_on_pages_runs(path: str) -> None:
    found = blocks(path, "python")
    assert found
    names: dict[str, Any] = {}
    for block in found:
        exec(compile(block, path, "exec"), names)


def test_functions_on_the_rerun_page_work() -> None:
    """What the page defines, on three blobs that a linear model separates."""
    import numpy as np
    import torch

    from stablib.training.threads import one_thread

    names: dict[str, Any] = {}
    for block in blocks("book/rerun.md", "python"):
        if "def " in block:
            exec(block, names)
    torch.manual_seed(0)
    y = torch.randint(3, (300,))
    x = 30.0 * torch.eye(3)[y] + 5.0 * torch.randn(300, 3)

    def accuracy(model: Any) -> float:
        return float((model(x).argmax(dim=1) == y).float().mean())

    def loss(model: Any) -> float:
        return float(torch.nn.functional.cross_entropy(model(x), y).detach())

    with one_thread():
        student = names["tgtss"](lambda: torch.nn.Linear(3, 3), x, y, steps=1500, after_step=1200)
    assert accuracy(student) > 0.95
    model = torch.nn.Linear(3, 3)
    seen: list[Any] = []
    # The mean is that of the weights at the ends of the last two epochs.
    fit = names["fit"]

    def noting(*arguments: Any, **options: Any) -> Any:
        outcome = fit(*arguments, **options)
        seen.append(model.weight.detach().clone())
        return outcome

    names["fit"] = noting
    with one_thread():
        names["swa"](model, x, y)
        # Slow, as the page says: it need not have arrived.
        averaged = torch.nn.Linear(3, 3)
        before = loss(averaged)
        names["aswa"](averaged, x, y)
    assert loss(averaged) < 0.7 * before
    np.testing.assert_allclose(
        model.weight.detach().numpy(), ((seen[-1] + seen[-2]) / 2).numpy(), rtol=1e-6
    )


@pytest.mark.parametrize(
    "path", ["README.md", *(f"book/{p.name}" for p in sorted((ROOT / "book").glob("*.md")))]
)
def test_made_tables_are_up_to_date(path: str) -> None:
    assert pages.fill(text(path)) == text(path), "run: make pages"
    marks = re.findall(r"<!-- made: ([a-z]+) -->", text(path))
    assert set(marks) <= pages.MADE.keys()
    assert text(path).count("<!-- end -->") == len(marks)


def test_every_table_that_can_be_made_is_on_a_page() -> None:
    everything = "".join(text(f"book/{p.name}") for p in (ROOT / "book").glob("*.md"))
    for name in pages.MADE:
        assert f"<!-- made: {name} -->" in everything


def commands(path: str) -> list[str]:
    """Every command of stablib in code, with lines that end in a backslash joined."""
    joined = text(path).replace("\\\n", " ")
    lines = "\n".join(re.findall(r"^```bash\n(.*?)^```$", joined, re.DOTALL | re.MULTILINE))
    spans = re.findall(r"`(stablib [^`]+)`", re.sub(r"```.*?```", "", joined, flags=re.DOTALL))
    return [line for line in lines.splitlines() if line.startswith("stablib ")] + spans


@pytest.mark.parametrize("path", PROSE)
def test_commands_exist(path: str) -> None:
    for line in commands(path):
        words = shlex.split(line)[1:]
        command: Any = typer.main.get_command(app)
        while words and hasattr(command, "commands"):
            if words[0].startswith("--"):
                break
            assert words[0] in command.commands, line
            command = command.commands[words.pop(0)]
        known = {option for p in command.params for option in p.opts} | {"--help"}
        assert {w.partition("=")[0] for w in words if w.startswith("--")} <= known, line
        if command.name != "reproduce" or not words or words[0].startswith("-"):
            continue
        section = words[0]
        if section.isupper() or "[" in section:
            continue
        assert section in {s.name for s in sections()} | set(papers()), line
        study = study_class(section.partition("/")[0])
        given = [words[i + 1] for i, word in enumerate(words) if word == "--param"]
        convert(parse([pair for pair in given if "=" in pair]), study)
        skipped = [words[i + 1] for i, word in enumerate(words) if word == "--skip"]
        assert set(skipped) <= study("smoke").requests().keys(), line


def test_commands_are_found_on_pages() -> None:
    assert any("--skip LI-X1" in line for line in commands("book/rerun.md"))
    assert "stablib --version" in commands("book/rerun.md")


@pytest.mark.parametrize("path", PROSE)
def test_make_targets_exist(path: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)`", text(path)))
    named |= {m for b in blocks(path, "bash") for m in re.findall(r"^make ([a-z-]+)", b, re.M)}
    assert named <= targets


# One version, one list of checks.


def test_the_version_stands_in_one_place() -> None:
    citation = yaml.safe_load(text("CITATION.cff"))
    assert citation["version"] == stablib.__version__
    project = text("pyproject.toml").partition("[project.optional-dependencies]")[0]
    assert 'dynamic = ["version"]' in project
    assert not re.search(r"^version\b", project, re.MULTILINE)
    said = subprocess.run(
        [str(Path(sys.executable).with_name("stablib")), "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == ["stablib", stablib.__version__]


def test_the_changelog_has_a_place_for_changes() -> None:
    headings = re.findall(r"^## \[(.+?)\]", text("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert stablib.__version__ in headings


def test_hooks_are_the_checks_of_make_lint() -> None:
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", text("Makefile"), re.MULTILINE)
    assert recipe
    made = set(re.findall(r"\$\(BIN\)/(\S+(?: check| format --check)?)", recipe[1]))
    made |= set(re.findall(r"npm run --silent lint", recipe[1]))
    (repo,) = yaml.safe_load(text(".pre-commit-config.yaml"))["repos"]
    hooks = {
        hook["entry"].removeprefix(".venv/bin/").removesuffix(" --force-exclude")
        for hook in repo["hooks"]
    }
    assert hooks == made


def test_issue_templates_name_themselves() -> None:
    templates = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.md"))
    heads = [yaml.safe_load(t.read_text("utf-8").split("---\n")[1]) for t in templates]
    assert len(heads) == 3
    assert all(head["name"] and head["about"] for head in heads)


# The names that stablib offers itself.


def test_import_is_light() -> None:
    code = "import json, sys, stablib; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", code]))
    assert "stablib" in loaded
    for heavy in ("numpy", "scipy", "pandas", "torch", "numba", "pydantic", "stablib.metrics"):
        assert heavy not in loaded


def test_names_are_those_of_the_subpackages() -> None:
    for name in set(stablib.__all__) - {"__version__"}:
        home = importlib.import_module(stablib._HOME[name])
        assert getattr(stablib, name) is getattr(home, name)
        assert name in home.__all__ if hasattr(home, "__all__") else True
    assert set(stablib.__all__) <= set(dir(stablib))
    with pytest.raises(AttributeError, match="'nonsense'"):
        stablib.nonsense  # type: ignore[attr-defined] # noqa: B018


def test_type_checkers_see_the_same_names() -> None:
    declared: dict[str, str] = {}
    for node in ast.parse(text("stablib/__init__.pyi")).body:
        if isinstance(node, ast.ImportFrom):
            declared |= {alias.name: str(node.module) for alias in node.names}
        elif isinstance(node, ast.Assign):
            assert sorted(ast.literal_eval(node.value)) == sorted(stablib.__all__)
    subpackages = dict.fromkeys(stablib._SUBPACKAGES, "stablib")
    assert declared == stablib._HOME | subpackages
    folders = {p.parent.name for p in (ROOT / "stablib").glob("*/__init__.py")}
    assert folders == set(stablib._SUBPACKAGES)


# The reference.

API = sorted((ROOT / "book" / "api").glob("*.md"))


def test_the_reference_is_in_the_table_of_contents() -> None:
    assert {f"book/api/{p.stem}" for p in API} <= set(re.findall(r"file: (\S+)", text("_toc.yml")))
    assert {p.stem for p in API} >= set(stablib._SUBPACKAGES) - {"models"}


@pytest.mark.parametrize("subpackage", ["explain", "metrics", "mitigation", "training"])
def test_pages_by_subject_name_everything(subpackage: str) -> None:
    page = text(f"book/api/{subpackage}.md")
    named = re.findall(
        r"auto(?:function|class|data):: (?:stablib[.\w]*\.)?(\w+)$", page, re.MULTILINE
    )
    assert sorted(named) == sorted(name for name, _ in public(subpackage))


def test_the_first_page_names_what_stablib_offers() -> None:
    named = re.findall(r"^   ~(\S+)$", text("book/api/stablib.md"), re.MULTILINE)
    everything = {f"{home}.{name}" for name, home in stablib._HOME.items()}
    errors = {name for name in everything if name.startswith("stablib.errors.")}
    assert sorted(named) == sorted(everything - errors)  # All errors follow below.


def test_the_reference_is_made_without_torch() -> None:
    modules = {m for p in API for m in re.findall(r"automodule:: (\S+)", p.read_text("utf-8"))}
    lines = [f"import {module}" for module in sorted(modules)]
    lines += ["import sys", "print([m for m in ('torch', 'numba') if m in sys.modules])"]
    said = subprocess.check_output([sys.executable, "-c", "\n".join(lines)], text=True)
    assert said.strip() == "[]"


def test_links_lead_to_the_line_of_the_code() -> None:
    for module, name in (
        ("stablib.metrics", "label_entropy"),
        ("stablib.training", "SeedPlan.child"),
        ("stablib.data", "Dataset.n_classes"),
        ("stablib.workloads", "HeadRecipe"),
        ("stablib.show.widgets", "how_many_seeds"),
    ):
        link = source_link("py", {"module": module, "fullname": name})
        assert link
        path, _, line = link.removeprefix("../../source/").partition(".html#line-")
        code = text(path).splitlines()[int(line) - 1 :]
        first = next(row for row in code if not row.lstrip().startswith("@"))
        assert re.match(rf"\s*(def|class) {name.rpartition('.')[2]}\b", first)
    assert source_link("py", {"module": "stablib.data", "fullname": "nothing"}) is None
    assert source_link("c", {"names": "printf"}) is None


@pytest.mark.parametrize(
    ("heading", "ids", "names"),
    [
        ("LI-T3 · Table 3: what reduces instability?", ["table-3", "li-t3"], ["LI-T3", "Table 3"]),
        ("TH-F3.11 · Figure 3.11: attention", ["th-f3-11"], ["TH-F3.11", "Figure 3.11"]),
        ("ND-X5 · One bit, epoch by epoch", ["nd-x5"], ["ND-X5"]),
        ("What came out", ["what-came-out"], []),
    ],
)
def test_a_search_for_its_number_leads_to_an_exhibit(
    heading: str, ids: list[str], names: list[str]
) -> None:
    section = nodes.section("", nodes.title("", heading), nodes.paragraph("", "text"), ids=ids)
    document = new_document("page")
    document += section
    index_exhibits(None, document)  # type: ignore[arg-type]
    entries = [entry for node in document.findall(addnodes.index) for entry in node["entries"]]
    assert [entry[1] for entry in entries] == names
    assert {entry[2] for entry in entries} <= {ids[-1]}
    assert {entry[3] for entry in entries} <= {"main"}
