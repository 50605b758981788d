"""The named data sets: what they must contain, where they come from, and who made them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from stablib.data import texts
from stablib.data.dataset import Dataset, from_frame
from stablib.data.files import read_clinc_hub, read_massive_hub
from stablib.data.mimic import read_anemia, read_diabetes
from stablib.errors import UsageError, unknown

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True)
class Hub:
    """Pinned files of a data set on the hub.

    Parameters
    ----------
    repo, revision : str
        Repository and full commit.
    files : mapping of str to str
        Files by the hub's name of the split, in the order of the rows.
    sha256 : mapping of str to str
        Checksums of the files, where they are known.
    read : callable
        Makes a frame with the columns split, text and the labels of the downloaded files.
    title : str, default ""
        Name for the reader, where it is not the entry's.
    seconds : float, optional
        What its download may take, where it is larger than most.
    """

    repo: str
    revision: str
    files: Mapping[str, str]
    sha256: Mapping[str, str]
    read: Callable[[Mapping[str, Path]], pd.DataFrame]
    title: str = ""
    seconds: float | None = None


@dataclasses.dataclass(frozen=True)
class Entry:
    """One named data set.

    Parameters
    ----------
    name : str
        Its name in stablib.
    title : str
        Its name for the reader.
    labels : tuple of str
        Kinds of labels; the first is the default.
    holdout : str
        The split on which the paper's tables are made.
    licence, citation : str
        For the reader.
    content : mapping of str to str
        Pinned identity of the data, by kind of label; see :func:`stablib.data.content_hash`. Empty
        where the makers of stablib cannot have the data.
    sizes : mapping of str to int
        Examples by split, for estimates without the data.
    file : str, default ""
        Name of its file in ``STABLIB_DATA``, in the package and in the cache.
    shipped : bool, default False
        The package has the file, because the licence allows it; its attribution lies beside it.
    origin : str, default ""
        Where a file that is not in the package's form comes from, and at which revision.
    read : callable, optional
        Makes a frame with the columns split, text and label of such a file, or of a folder. The
        hub has another copy then, which the makers of stablib have not seen: nothing is pinned of
        it.
    min_texts : int, default 1
        In so many training texts must a word be to be known, in the paper that uses the data.
    quoted : int or None, default 0
        Most tokens of a text that a page may show of the data, such as a short quotation; None for
        any number, 0 for none.
    hub : Hub, optional
        Where it can be downloaded.
    generate : callable, optional
        Makes the data set, which has no file then.
    stand_in : callable, optional
        Makes the data set that takes its place, with a visible notice, where it cannot be had.
    """

    name: str
    title: str
    labels: tuple[str, ...]
    holdout: str
    licence: str
    citation: str
    content: Mapping[str, str]
    sizes: Mapping[str, int]
    file: str = ""
    shipped: bool = False
    origin: str = ""
    read: Callable[[Path], pd.DataFrame] | None = None
    min_texts: int = 1
    quoted: int | None = 0
    hub: Hub | None = None
    generate: Callable[[], Dataset] | None = None
    stand_in: Callable[[], Dataset] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of its file."""
        return ("split", "text", *self.labels)

    @property
    def cached(self) -> str:
        """Name of the file in the cache: in the package's form, whatever that of the others."""
        return self.file if self.read is None else f"{self.name}_hub.parquet"

    def chosen(self, label: str | None) -> str:
        """Return the kind of label asked for, or the default.

        Raises
        ------
        UsageError
            If there is no such kind.
        """
        if label is None:
            return self.labels[0]
        if label not in self.labels:
            raise unknown(f"label of {self.name}", label, self.labels)
        return label


def stand_in(seed: int = 0) -> Dataset:
    """Return the generated assistant-utterance corpus (18 domains, known ambiguous utterances)."""
    from stablib.data import standin  # It imports pandas, as the other two do.

    frame = standin.generate(seed=seed)
    return _made(frame, "standin", f"grammar, seed {seed}", label="domain")


def reviews(seed: int = 0) -> Dataset:
    """Return the generated corpus of reviews (two classes, known decisive words)."""
    from stablib.data import sentiment

    return _made(sentiment.generate(seed=seed), "reviews", f"grammar of reviews, seed {seed}")


def pairs(seed: int = 0) -> Dataset:
    """Return the generated corpus of pairs of sentences (three classes, as in SNLI)."""
    from stablib.data import inference

    return _made(inference.generate(seed=seed), "pairs", f"grammar of pairs, seed {seed}")


def _made(frame: pd.DataFrame, name: str, how: str, *, label: str = "label") -> Dataset:
    return from_frame(frame, name=name, label=label, source=f"generated by stablib's {how}")


#: Tokens of a short quotation.
_SHORT = 40

#: The released code of *On Model Stability as a Function of Random Seed*.
_STABILITY = "github.com/rishj97/ModelStability at 9bba2f3b02f262b877ce4389ac2c214e2e177007"

#: Data sets made by others. A new one is one more entry.
ENTRIES: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry(
            name="massive",
            title="MASSIVE 1.0, en-US",
            labels=("domain", "intent"),
            holdout="test",
            licence="CC BY 4.0",
            citation="FitzGerald et al. 2022, arXiv:2204.08582",
            content={
                "domain": "0de433c9414b6418f1470a3e1302ea8cdb24d5f064f5b55868e93052d72f980e",
                "intent": "7869fb75ab8e0d8543c0fc7d9899f8cab22ff6cd4520a884723c326e0b2cd937",
            },
            sizes={"train": 11_514, "val": 2_033, "test": 2_974},
            file="massive_en.parquet",
            shipped=True,
            quoted=None,
            hub=Hub(
                repo="SetFit/amazon_massive_intent_en-US",
                revision="f7672a018e8ceb37fc0184dcfbb7e665155ffea6",
                files={s: f"{s}.jsonl" for s in ("train", "validation", "test")},
                sha256={},
                read=read_massive_hub,
            ),
        ),
        Entry(
            name="clinc150",
            title="CLINC150 (full), in scope",
            labels=("intent",),
            holdout="val",
            licence="CC BY 3.0",
            citation="Larson et al. 2019, EMNLP-IJCNLP, doi:10.18653/v1/D19-1131",
            content={"intent": "31e181defb15f1961a33e17f3565dfe313f135772e30fdaa0ed6f69885e05a18"},
            sizes={"train": 15_000, "val": 3_000, "test": 4_500},
            file="clinc150.parquet",
            shipped=True,
            quoted=None,
            hub=Hub(
                repo="clinc/clinc_oos",
                revision="155b9c710419136e17307b80d0a13e68cd46b4ec",
                # The authors' own file begins with the validation split; the content is pinned so.
                files={
                    s: f"plus/{s}-00000-of-00001.parquet" for s in ("validation", "train", "test")
                },
                sha256={
                    "validation": (
                        "fbd545b46c611c4a7ba4b48cae6c7f09bb5b59f33ff56206ad1cd366c85cdfaa"
                    ),
                    "test": "3e60e45b25bf86543aa5df8ba4fcc674114164e6184f0197690648c2908d0102",
                },
                read=read_clinc_hub,
            ),
        ),
        Entry(
            name="sst",
            title="SST, two classes",
            labels=("label",),
            holdout="test",
            licence="none stated",
            citation="Socher et al. 2013, EMNLP; as prepared by Jain and Wallace 2019",
            content={"label": "9c1dbf75b8bb1f01574bbbec3f071fd47c39034642d2578726a2ffba7d3d2e7e"},
            sizes={"train": 6_356, "val": 822, "test": 1_726},
            file="sst2.parquet",
            origin=f"preprocess/SST/sst_dataset.csv of {_STABILITY}",
            read=texts.read_sst,
            quoted=_SHORT,
            hub=Hub(
                repo="SetFit/sst2",
                revision="00ea8ccb7a54b4e3780a3e51aa3f80361ff849c0",
                files={"train": "train.jsonl", "validation": "dev.jsonl", "test": "test.jsonl"},
                sha256={},
                read=texts.read_sst_hub,
                seconds=120.0,
            ),
            stand_in=reviews,
        ),
        Entry(
            name="adr",
            title="ADR tweets",
            labels=("label",),
            holdout="test",
            licence="none stated; terms of Twitter",
            citation="Nikfarjam et al. 2015, doi:10.1093/jamia/ocu041",
            content={"label": "8e86515dd2d6bf96c1e8af9c49ad4da8fc379704b92fda4f578bdcfcee8cffa7"},
            sizes={"train": 13_938, "val": 2_447, "test": 4_123},
            file="adr_tweets.parquet",
            origin=f"preprocess/Tweets/adr_dataset.csv of {_STABILITY}",
            read=texts.read_adr,
            min_texts=2,
            stand_in=reviews,
        ),
        Entry(
            name="imdb",
            title="IMDB reviews",
            labels=("label",),
            holdout="test",
            licence="none stated",
            citation="Maas et al. 2011, ACL, P11-1015",
            content={"label": "33b6d72d74857d234263b8c9c32afb03260fb678bcf5bed6c9b66e7095cb533c"},
            sizes={"train": 19_358, "val": 2_160, "test": 4_363},
            file="imdb.parquet",
            origin=(
                "aclImdb of github.com/PVidyadhar/"
                "Detection-of-Fraud-apps-using-Sentiment-Analysis "
                "at 81406d56e9c006de30f9d50737fd66177a4a1434"
            ),
            read=texts.read_imdb,
            quoted=_SHORT,
            hub=Hub(
                repo="stanfordnlp/imdb",
                revision="e6281661ce1c48d982bc483cf8a173c1bbeb5d31",
                files={s: f"plain_text/{s}-00000-of-00001.parquet" for s in ("train", "test")},
                sha256={},
                read=texts.read_imdb_hub,
                seconds=120.0,
            ),
            min_texts=10,
            stand_in=reviews,
        ),
        Entry(
            name="agnews",
            title="AG News, business against world (a sample of the training texts)",
            labels=("label",),
            holdout="test",
            licence="research and other non-commercial use",
            citation="Zhang, Zhao and LeCun 2015, arXiv:1509.01626",
            content={"label": "afc1462151bb880685f60eaf3327a55d9e9e496b484fbee1696b59ef7fbc4458"},
            sizes={"train": 1_746, "val": 210, "test": 3_800},
            file="ag_news_partial.parquet",
            origin=(
                f"preprocess/ag_news/test.csv of {_STABILITY}, and data/ag_news of "
                "github.com/cjanowski/project-chimera at d4db2d1e8dc22224f35a9a381cf2cd90f6ae2f0d"
            ),
            read=texts.read_agnews,
            quoted=_SHORT,
            hub=Hub(
                repo="fancyzhx/ag_news",
                revision="eb185aade064a813bc0b7f42de02595523103ca4",
                files={s: f"data/{s}-00000-of-00001.parquet" for s in ("train", "test")},
                sha256={},
                read=texts.read_agnews_hub,
                title="AG News, business against world",
                seconds=120.0,
            ),
            min_texts=5,
            stand_in=reviews,
        ),
        Entry(
            name="snli",
            title="SNLI (development pairs for training)",
            labels=("label",),
            holdout="test",
            licence="CC BY-SA 4.0",
            citation="Bowman et al. 2015, EMNLP, doi:10.18653/v1/D15-1075",
            content={"label": "abf7d6680a189b3e974d05b79f4fd6c1941f3ef5556911bde70f26a54683d921"},
            sizes={"train": 8_852, "val": 990, "test": 9_824},
            file="snli_devtest.parquet",
            origin=(
                "data/snli of github.com/chenxingphh/rmib "
                "at 80bf2b2ac7b63a51584adc84cdb17da47ba296e4"
            ),
            read=texts.read_snli,
            quoted=None,
            hub=Hub(
                repo="stanfordnlp/snli",
                revision="cdb5c3d5eed6ead6e5a341c8e56e669bb666725b",
                files={
                    s: f"plain_text/{s}-00000-of-00001.parquet"
                    for s in ("train", "validation", "test")
                },
                sha256={},
                read=texts.read_snli_hub,
                title="SNLI",
                seconds=120.0,
            ),
            min_texts=3,
            stand_in=pairs,
        ),
        *(
            Entry(
                name=f"babi{task}",
                title=f"bAbI task {task}",
                labels=("label",),
                holdout="test",
                licence="CC BY 3.0",
                citation="Weston et al. 2015, arXiv:1502.05698",
                content={"label": content},
                sizes={"train": n_train, "val": n_val, "test": 1_000},
                file="babi_qa123.parquet",
                origin=(
                    "tasks of github.com/siddk/entity-network "
                    "at b18fbb7c749e98192a77132af9e537e399ac24c7"
                ),
                read=texts.babi_reader(task),
                quoted=None,
            )
            for task, n_train, n_val, content in (
                (
                    1,
                    8_980,
                    1_020,
                    "d9977ea5b5974e97db094c46e11820259566afc56d8857be4f7f671b7bdcc012",
                ),
                (
                    2,
                    8_980,
                    1_020,
                    "2ec3ac8671165a88898cc2de3b3385a8612d0597fb594402a762416e73b6dfe9",
                ),
                (3, 880, 120, "2dc708ee80e0134ae74c4467d565b347abdced9afc08bb64dec83bd3f4b4baf1"),
            )
        ),
        *(
            Entry(
                name=name,
                title=f"MIMIC-III, {name}",
                labels=("label",),
                holdout="test",
                licence="needs credentialed data",
                citation="Johnson et al. 2016, doi:10.1038/sdata.2016.35",
                content={},
                sizes=sizes,
                file="mimic3",
                origin="the official CSV files, for credentialed users; see stablib.data.mimic",
                read=read,
                min_texts=5,
            )
            # The paper's counts; training and validation are one there.
            for name, read, sizes in (
                ("anemia", read_anemia, {"train": 5_098, "test": 1_262}),
                ("diabetes", read_diabetes, {"train": 7_734, "test": 1_614}),
            )
        ),
    )
}

#: The generated corpora. Nobody else made them: they have no file, no hub, no place in ENTRIES.
GENERATED = {
    name: Entry(
        name=name,
        title=title,
        labels=(label,),
        holdout="test",
        licence="Apache-2.0, as stablib",
        citation="stablib",
        content={label: content},
        sizes=sizes,
        generate=generate,
        quoted=None,
    )
    for name, title, label, content, sizes, generate in (
        (
            "standin",
            "Generated stand-in corpus",
            "domain",
            "94f62b569e0534320859f135adbabfa9fac57dff645da41913834b56d689feff",
            {"train": 4_000, "val": 1_000, "test": 1_500},
            stand_in,
        ),
        (
            "reviews",
            "Generated reviews",
            "label",
            "0a5326ac841a0216cd2f96f71f02da457ca19fc6890880e7094002fd004e0d07",
            {"train": 3_000, "val": 500, "test": 1_000},
            reviews,
        ),
        (
            "pairs",
            "Generated pairs",
            "label",
            "a83fb693cf8957d3cf75b640d6b2261ae793ee1f3b289e95c7dcec5f856a1be5",
            {"train": 3_000, "val": 500, "test": 1_000},
            pairs,
        ),
    )
}


def entry(name: str) -> Entry:
    """Return the entry of a data set.

    Parameters
    ----------
    name : str
        One of :data:`ENTRIES`, or ``"standin"``, ``"reviews"`` or ``"pairs"``, which are
        generated.

    Returns
    -------
    Entry

    Raises
    ------
    UsageError
        If the name is unknown.
    """
    known = {**ENTRIES, **GENERATED}
    if name not in known:
        raise unknown("dataset", name, known)
    return known[name]


def pinned(name: str, label: str | None = None) -> str:
    """Return the pinned content hash of a data set, which needs no data.

    Parameters
    ----------
    name, label : str
        As for :func:`stablib.data.load`.

    Returns
    -------
    str
        What :attr:`stablib.data.Dataset.content_hash` is if the data are the pinned ones.

    Raises
    ------
    UsageError
        If the name or the label is unknown, or nothing is pinned because the data are for
        credentialed users alone.

    Examples
    --------
    >>> pinned("massive", "domain")[:12]
    '0de433c9414b'
    """
    item = entry(name)
    chosen = item.chosen(label)
    if not item.content:
        raise UsageError(f"{item.title}: nothing is pinned ({item.licence})")
    return item.content[chosen]
