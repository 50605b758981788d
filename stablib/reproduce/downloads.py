"""What a reader takes away of an exhibit: its table as LaTeX, and how to cite it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd

import stablib
from stablib.commit import commit_date
from stablib.reproduce.cards import cards
from stablib.reproduce.notebooks import sections

TABLE, CITATION = "table.tex", "cite.bib"


def write(exhibits: Path) -> None:
    """Write them beside every exhibit, and beside those of other models.

    Parameters
    ----------
    exhibits : Path
        Folder of the recorded exhibits in the built book.
    """
    titles = {card.exhibit: card.title for card in cards(sections())}
    for path in sorted(exhibits.rglob("provenance.json")):
        folder = path.parent
        provenance = json.loads(path.read_text("utf-8"))
        place = folder.relative_to(exhibits).as_posix()
        title = titles.get(provenance["exhibit"], "")
        cite = citation(provenance, title, place, commit_date() or "")
        (folder / CITATION).write_text(cite, "utf-8")
        if provenance["kind"] == "table":
            numbers = pd.read_csv(folder / "numbers.csv", dtype=str, keep_default_na=False)
            (folder / TABLE).write_text(latex(numbers, provenance, place), "utf-8")


def latex(numbers: pd.DataFrame, provenance: dict[str, str], place: str) -> str:
    r"""Write a table as LaTeX, for the package booktabs; Greek letters ask for XeLaTeX or LuaLaTeX.

    Parameters
    ----------
    numbers : DataFrame
        What is shown, as text.
    provenance : dict
        Of the exhibit.
    place : str
        Its folder among the exhibits; that of another model has one of its own.

    Examples
    --------
    >>> made = latex(pd.DataFrame({"": ["SWA"], "gain (%)": ["1 [0, 2]"]}),
    ...              {"caption": "Gains."}, "LI-T3")
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
        label=f"tab:{_key(place)}",
        caption=_escaped(provenance["caption"]),
        column_format="l" + "r" * (named.shape[1] - 1),
    )


def citation(provenance: dict[str, str], title: str, place: str, date: str) -> str:
    r"""Write a BibTeX entry of an exhibit.

    Parameters
    ----------
    provenance : dict
        Of the exhibit.
    title : str
        What it is in the paper; empty if no page shows it.
    place : str
        As for :func:`latex`.
    date : str
        Of the book's commit, as YYYY-MM-DD; empty where it is not known.

    Examples
    --------
    >>> about = {"exhibit": "LI-T3", "commit": "1a2b3c4"}
    >>> print(citation(about, "Table 3: 5 % less", "LI-T3", "2026-12-01"))
    @misc{stablib-li-t3,
      author = {{The stablib authors}},
      title = {{LI-T3}, Table 3: 5 \% less. In: Train the same network twice},
      year = {2026},
      note = {stablib ..., commit 1a2b3c4},
    }
    <BLANKLINE>
    """
    name = ", ".join(filter(None, [f"{{{provenance['exhibit']}}}", _escaped(title)]))
    fields = {
        "author": "{The stablib authors}",
        "title": f"{name}. In: Train the same network twice",
        "year": date[:4],
        "note": f"stablib {stablib.__version__}, commit {provenance['commit']}",
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{stablib-{_key(place)},", *lines, "}", ""])


def _key(place: str) -> str:
    return place.lower().replace("/", "-").replace("_", "-")


#: Signs that mean something to LaTeX, and what stands for them.
_SIGNS = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
}


def _escaped(text: str) -> str:
    """Text in which LaTeX reads nothing but text."""
    return "".join(_SIGNS.get(sign, sign) for sign in text)
