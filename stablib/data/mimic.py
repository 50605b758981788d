"""Two tasks on discharge summaries of MIMIC-III, for users with credentials.

MIMIC-III (Johnson et al. 2016, doi:10.1038/sdata.2016.35) is given to credentialed users alone, so
nothing of it is shipped, downloaded or pinned. What the tasks need is a folder with

``NOTEEVENTS.csv``
    The official table, of which ``SUBJECT_ID``, ``HADM_ID``, ``CHARTDATE``, ``CATEGORY``,
    ``DESCRIPTION``, ``ISERROR`` and ``TEXT`` are read.
``DIAGNOSES_ICD.csv``
    The official table, of which ``HADM_ID`` and ``ICD9_CODE`` are read.
``train_50_hadm_ids.csv``, ``dev_50_hadm_ids.csv``, ``test_50_hadm_ids.csv``
    For diabetes alone: the admissions of each split, one number a line, from
    github.com/successar/AttentionExplanation (``preprocess/MIMIC``, at
    602ad4ea2663d3abe98981b7374df51507612340).

The rules are those of that repository, which the paper's authors use. Their split for anemia is
drawn by a library's generator; here every fifth admission is for testing, in order of their
numbers, and of the others every tenth for validation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stablib.data.texts import between, words
from stablib.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

NOTES, DIAGNOSES = "NOTEEVENTS.csv", "DIAGNOSES_ICD.csv"
#: Files with the admissions of each split of the diabetes task.
ADMISSIONS = {
    "train": "train_50_hadm_ids.csv",
    "val": "dev_50_hadm_ids.csv",
    "test": "test_50_hadm_ids.csv",
}

#: Notes that are read at once: the table has four gigabytes.
_ROWS = 50_000
_HIDDEN = re.compile(r"\[\s*\*\s*\*.*?\*\s*\*\s*\]", re.DOTALL)
_REPEATED = re.compile(r"([^a-zA-Z0-9\s])(\s*\1)+")


def read_diabetes(folder: Path) -> pd.DataFrame:
    """Read summaries with the label whether ICD-9 code 250.00 was given: "no" or "yes".

    Parameters
    ----------
    folder : Path
        With the files named above.

    Returns
    -------
    DataFrame
        Columns split, text and label, of more than 6 and fewer than 4,000 tokens.

    Raises
    ------
    DataError
        If a table is missing, or lacks a column.
    """
    _check(folder, [NOTES, DIAGNOSES, *ADMISSIONS.values()])
    frame = _summaries(folder)
    split = {
        int(admission): split
        for split, name in ADMISSIONS.items()
        for admission in (folder / name).read_text().split()
    }
    frame["split"] = frame["HADM_ID"].map(split)
    frame = frame[frame["split"].notna()].reset_index(drop=True)
    frame["label"] = np.where(_has(frame, "25000"), "yes", "no")
    return _finished(frame, more_than=6)


def read_anemia(folder: Path) -> pd.DataFrame:
    """Read summaries of anemia, acute (ICD-9 285.1) or of chronic disease (285.2), not both.

    Parameters
    ----------
    folder : Path
        With the two tables named above.

    Returns
    -------
    DataFrame
        Columns split, text and label, of fewer than 4,000 tokens. The acute kind is called
        "posthemorrhagic", as in ICD-9, and is the second class.

    Raises
    ------
    DataError
        If a table is missing, or lacks a column.
    """
    _check(folder, [NOTES, DIAGNOSES])
    frame = _summaries(folder)
    acute, chronic = _has(frame, "2851"), _has(frame, "2852")
    frame["label"] = np.where(acute, "posthemorrhagic", "of chronic disease")
    frame = frame[acute != chronic].sort_values("HADM_ID", kind="stable").reset_index(drop=True)
    place = np.arange(len(frame))
    others = place - place // 5 - 1  # Number among those that are not for testing.
    frame["split"] = np.where(place % 5 == 0, "test", np.where(others % 10 == 0, "val", "train"))
    return _finished(frame, more_than=0)


def _check(folder: Path, names: Sequence[str]) -> None:
    """Refuse a folder in which a table is missing."""
    for name in names:
        if not (folder / name).is_file():
            raise DataError(
                f"{folder}: the table {name} is missing (MIMIC-III, official CSV files)"
            )


def _summaries(folder: Path) -> pd.DataFrame:
    """Discharge summaries with the codes of their admissions, one row an admission."""
    import pandas as pd

    wanted = ["SUBJECT_ID", "HADM_ID", "CHARTDATE", "CATEGORY", "DESCRIPTION", "ISERROR", "TEXT"]
    try:
        parts = [
            rows[(rows["CATEGORY"] == "Discharge summary") & rows["ISERROR"].isna()]
            for rows in pd.read_csv(
                folder / NOTES, usecols=wanted, dtype={"ISERROR": "string"}, chunksize=_ROWS
            )
        ]
        codes = pd.read_csv(
            folder / DIAGNOSES, usecols=["HADM_ID", "ICD9_CODE"], dtype={"ICD9_CODE": "string"}
        )
    except ValueError as error:
        raise DataError(f"{folder}: not the official tables of MIMIC-III ({error})") from error
    notes = pd.concat(parts).dropna(subset=["HADM_ID", "TEXT"])
    # The report comes before its addenda.
    notes["addendum"] = notes["DESCRIPTION"] != "Report"
    notes = notes.sort_values(["HADM_ID", "addendum", "CHARTDATE"], kind="stable")
    texts = notes.groupby("HADM_ID")["TEXT"].agg(" ".join)
    given = codes.dropna().groupby("HADM_ID")["ICD9_CODE"].agg(" ".join)
    frame = pd.DataFrame({"TEXT": texts, "codes": given}).dropna().reset_index()
    return frame.astype({"HADM_ID": int})


def _has(frame: pd.DataFrame, code: str) -> pd.Series:
    """Whether an admission has a code, or one below it."""
    return frame["codes"].str.contains(rf"(?:^| ){code}", regex=True)


def _finished(frame: pd.DataFrame, *, more_than: int) -> pd.DataFrame:
    """Clean the texts, and keep those of an allowed length, splits in order."""
    import pandas as pd

    frame = frame.assign(text=[_clean(text) for text in frame["TEXT"]])
    frame = frame[between(frame["text"].tolist(), more_than=more_than, fewer_than=4_000)]
    parts = [frame[frame["split"] == split] for split in ("train", "val", "test")]
    return pd.concat(parts, ignore_index=True)[["split", "text", "label"]]


def _clean(text: str) -> str:
    """Tokens of a summary: what was hidden for privacy is one word, repeated marks are one."""
    return words(_REPEATED.sub(r"\1 ", _HIDDEN.sub(" hiddenname ", text)))
