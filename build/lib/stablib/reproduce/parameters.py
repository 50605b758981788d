"""Parameters of notebooks: the cells that declare them, and whether given values fit."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stablib.errors import UsageError, unknown
from stablib.studies import study_class
from stablib.studies.base import Study
from stablib.studies.settings import parameters as settings_parameters

_BEGIN = '# %% tags=["parameters"]'


def known(study: type[Study]) -> dict[str, tuple[str, str]]:
    """Type and help of every parameter of a paper's notebooks, the preset apart."""
    return settings_parameters(type(next(iter(study.presets.values()))))


def cell(study: type[Study]) -> str:
    """The cell that declares the parameters of a paper's notebooks.

    ``Optional`` and not ``float | None``: papermill reads no other form of annotation.
    """
    lines = [_BEGIN, "from typing import Optional", ""]
    lines.append(f'preset: str = "laptop"  # {", ".join(study.presets)}')
    lines += [
        f"{n}: Optional[{kind}] = None  # {about}" for n, (kind, about) in known(study).items()
    ]
    return "\n".join(lines) + "\n"


def with_cell(text: str, study: type[Study]) -> str:
    """A notebook's text with the cell of its study in the place of its own.

    Raises
    ------
    UsageError
        If it has none.
    """
    before, sign, rest = text.partition(_BEGIN)
    if not sign:
        raise UsageError("the notebook has no cell tagged 'parameters'")
    after = rest.index("\n# %%")
    return f"{before}{cell(study)}{rest[after:]}"


def write_cells(folder: Path) -> list[Path]:
    """Bring the parameter cells of all notebooks in ``<folder>/<paper>`` up to date.

    Returns
    -------
    list of Path
        Notebooks that changed.
    """
    changed = []
    for path in sorted(folder.glob("*/*.py")):
        text = path.read_text("utf-8")
        new = with_cell(text, study_class(path.parent.name))
        if new != text:
            path.write_text(new, "utf-8")
            changed.append(path)
    return changed


def parse(pairs: Sequence[str]) -> dict[str, str]:
    """Split ``name=value`` pairs.

    Raises
    ------
    UsageError
        If a pair has no ``=``.
    """
    given = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise UsageError(f"parameter {pair!r} must have the form name=value")
        given[name.strip()] = value.strip()
    return given


def convert(given: Mapping[str, str], study: type[Study]) -> dict[str, Any]:
    """Turn given texts into values of the declared types; ``None`` is the preset's own value.

    Raises
    ------
    UsageError
        If a name is unknown, or a value is not of the declared type.
    """
    declared = known(study)
    values = {}
    for name, text in given.items():
        if name not in declared:
            raise unknown("parameter", name, declared)
        values[name] = _convert(name, text, declared[name][0])
    return values


def _convert(name: str, text: str, kind: str) -> Any:
    if text == "None":
        return None
    kinds: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "str": str}
    try:
        # Python takes underscores and other alphabets' digits; a typing error should not pass.
        if kind != "str" and not (text.isascii() and "_" not in text):
            raise ValueError
        return kinds[kind](text)
    except ValueError:
        raise UsageError(f"parameter {name!r} must be {kind}, got {text!r}") from None


if __name__ == "__main__":
    for path in write_cells(Path(sys.argv[1] if len(sys.argv) > 1 else "notebooks")):
        print(path)
