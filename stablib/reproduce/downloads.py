"""What a reader takes away of an exhibit: its table as LaTeX, and how to cite it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd

import stablib
from stablib.commit import commit, commit_date

TABLE, CITATION = "table.tex", "cite.bib"


def write(exhibits: Path) -> None:
    """Write them beside every exhibit, and beside those of other models.

    Parameters
    ----------
    exhibits : Path
        Folder of the recorded exhibits in the built book.
    """
    for path in sorted(exhibits.rglob("provenance.json")):
        folder = path.parent
        provenance = json.loads(path.read_text("utf-8"))
        (folder / CITATION).write_text(citation(provenance, commit_date() or ""), "utf-8")
        if not (folder / "figure.png").is_file():
            numbers = pd.read_csv(folder / "numbers.csv", dtype=str, keep_default_na=False)
            (folder / TABLE).write_text(latex(numbers, provenance), "utf-8")


def latex(numbers: pd.DataFrame, provenance: dict[str, str]) -> str:
    r"""Write a table as LaTeX, for the package booktabs.

    Parameters
    ----------
    numbers : DataFrame
        What is shown, as text.
    provenance : dict
        Of the exhibit.

    Examples
    --------
    >>> made = latex(pd.DataFrame({"": ["SWA"], "gain (%)": ["1 [0, 2]"]}),
    ...              {"exhibit": "LI-T3", "caption": "Gains."})
    >>> print(made.splitlines()[5])
     & gain (\%) \\
    """
    # What pandas calls a column without a name.
    named = numbers.rename(columns=lambda name: re.sub(r"^(index|Unnamed.*)$", "", str(name)))
    style = (
        named.style.hide(axis="index").format(escape="latex").format_index(escape="latex", axis=1)
    )
    return style.to_latex(
        hrules=True,
        label=f"tab:{provenance['exhibit'].lower()}",
        caption=_escaped(provenance["caption"]),
        column_format="l" + "r" * (named.shape[1] - 1),
    )


def citation(provenance: dict[str, str], date: str) -> str:
    r"""Write a BibTeX entry of an exhibit.

    Parameters
    ----------
    provenance : dict
        Of the exhibit.
    date : str
        Of the commit, as YYYY-MM-DD; empty where it is not known.

    Examples
    --------
    >>> print(citation({"exhibit": "LI-T3", "caption": "Gains of 5 %."}, "2026-12-01"))
    @misc{stablib-li-t3,
      author = {{The stablib authors}},
      title = {{LI-T3}: Gains of 5 \%. In: Train the same network twice},
      year = {2026},
      ...
    """
    exhibit, caption = provenance["exhibit"], _escaped(provenance["caption"])
    fields = {
        "author": "{The stablib authors}",
        "title": f"{{{exhibit}}}: {caption} In: Train the same network twice",
        "year": date[:4],
        "note": f"stablib {stablib.__version__}, commit {commit()}",
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{stablib-{exhibit.lower()},", *lines, "}", ""])


def _escaped(text: str) -> str:
    """Text in which LaTeX reads nothing but text."""
    return re.sub(r"([&%$#_{}])", r"\\\1", text.replace("\\", "/"))
