"""Exhibits: anchored, announced, published, judged by their claims; runs that can be made again."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_info

from stablib import files
from stablib.errors import UsageError
from stablib.papers.claims import Claim, Measured, judge, score
from stablib.reproduce.parameters import cell, with_cell, write_cells
from stablib.runs import RunStore
from stablib.runs.obtain import groups, lacking, secure
from stablib.show.table import table_html
from stablib.studies import open_study, papers, study_class
from stablib.studies.base import Study
from stablib.studies.local_instability.design import CONTROL, Design, fine_tuning, standin
from stablib.studies.recommender import DEEPICF, GMF
from stablib.training import Request

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*/*.py"))
IDS = [*(f"LI-T{i}" for i in range(1, 7)), *(f"LI-F{i}" for i in range(1, 9)), "LI-A1"]
IDS += [f"SI-F{i}" for i in (1, 2, 3, 4, 6, 7, 8, 9, 10)]
IDS += [*(f"RS-T{i}" for i in (1, 2, 3)), *(f"RS-F{i}" for i in range(1, 11))]
IDS += [f"TH-F4.{i}" for i in (3, 5, 16, 17, 19)]
IDS += ["TH-T3.1", "TH-T3.2", *(f"TH-F3.{i}" for i in (1, 2, 3, 5, 7, 8, 9, 10, 11))]
IDS += [*(f"ND-T{i}" for i in range(1, 9)), *(f"ND-F{i}" for i in (1, 2, 3)), "ND-A1"]
PAPERS = list(papers())


def anchored(paper: str) -> list[str]:
    """Exhibits in the notebooks of a paper; other anchors have no such number."""
    text = "".join(path.read_text("utf-8") for path in NOTEBOOKS if path.parent.name == paper)
    return [anchor.upper() for anchor in re.findall(r"\(([a-z]+-[a-z][\d.]+)\)=", text)]


def test_every_exhibit_of_the_papers_has_an_anchor_in_a_notebook() -> None:
    assert set(IDS) <= {exhibit for paper in PAPERS for exhibit in anchored(paper)}


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("changes", [{}, {"preset": "smoke"}, {"preset": "paper"}])
def test_a_study_knows_exactly_the_exhibits_that_its_notebooks_anchor(
    paper: str, changes: dict[str, str]
) -> None:
    assert sorted(open_study(paper, **changes).requests()) == sorted(anchored(paper))


@pytest.mark.parametrize("paper", PAPERS)
def test_claims_belong_to_exhibits_that_are_anchored_and_known(paper: str) -> None:
    claims = study_class(paper).claims()
    exhibits = {claim.exhibit for claim in claims.values()}
    assert bool(claims) == bool(study_class(paper).rules)  # The closing chapter judges nothing.
    # What a text says and no table or figure shows is answered by an exhibit of ours.
    assert {exhibit for exhibit in exhibits if "-X" not in exhibit} <= set(IDS)
    assert exhibits <= set(anchored(paper))
    assert exhibits <= open_study(paper).requests().keys()


# Parameters of notebooks.


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_declares_exactly_the_settings_of_its_study(notebook: Path) -> None:
    text = notebook.read_text("utf-8")
    study = study_class(notebook.parent.name)
    assert cell(study) in text
    assert with_cell(text, study) == text


@pytest.mark.parametrize("paper", PAPERS)
def test_every_setting_is_a_parameter_with_a_help_on_one_line(paper: str) -> None:
    study = study_class(paper)
    _, _, preset, *lines = cell(study).splitlines()[1:]
    assert preset == 'preset: str = "laptop"  # smoke, laptop, paper'
    settings = type(study.presets["laptop"]).model_fields
    found = [re.fullmatch(r"(\w+): Optional\[(int|float|str)\] = None  # .+", x) for x in lines]
    assert [match and match[1] for match in found] == list(settings)
    assert max(map(len, lines)) <= 100


def test_cells_are_brought_up_to_date(tmp_path: Path) -> None:
    copies = [tmp_path / path.parent.name / path.name for path in NOTEBOOKS]
    for path, copy in zip(NOTEBOOKS, copies, strict=True):
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(path.read_text("utf-8").replace("n_", "m_"), "utf-8")
    changed = [c for c in copies if "n_" in cell(study_class(c.parent.name))]
    assert write_cells(tmp_path) == changed
    assert len(changed) > 20
    assert write_cells(tmp_path) == []
    for copy in copies:
        assert cell(study_class(copy.parent.name)) in copy.read_text("utf-8")


# Claims.


def claim(rule: str, target: float | None, tolerance: float | None, null: float | None) -> Claim:
    """A claim with nothing but what decides about it."""
    return Claim("c", "X", "", "", "", "", target, tolerance, null, rule, "")


EFFECT = claim("value", 30.0, 5.0, 0.0)
SMALL_EFFECT = claim("value", -2.0, 5.0, 0.0)
EQUAL = claim("value", 0.0, 0.3, None)
ORDER = claim("greater", None, None, 0.0)
SIZE = claim("magnitude", 1e-6, 1.0, None)
STRONG = claim("at_least", 0.7, None, 0.0)
SMALL = claim("at_most", 1.25, None, None)


@pytest.mark.parametrize(
    ("claim", "value", "low", "high", "verdict"),
    [
        (EFFECT, 33.0, 32.0, 34.0, "reproduced"),
        (EFFECT, 33.0, 1.0, 65.0, "reproduced"),
        (EFFECT, 33.0, float("nan"), float("nan"), "undecided"),
        (EFFECT, 33.0, -1.0, 67.0, "undecided"),
        (EFFECT, 45.0, 28.0, 62.0, "direction reproduced"),  # Not, because the interval is wide.
        (EFFECT, 8.0, 5.0, 11.0, "direction reproduced"),
        (EFFECT, 7.0, 5.0, 9.0, "undecided"),
        (EFFECT, 3.0, 1.0, 5.0, "not reproduced"),  # Less than a quarter, and no more.
        (EFFECT, 3.0, -10.0, 16.0, "undecided"),
        (EFFECT, -30.0, -31.0, -29.0, "not reproduced"),
        (SMALL_EFFECT, -2.0, -3.0, -1.0, "reproduced"),
        (SMALL_EFFECT, -0.2, -0.3, -0.1, "not reproduced"),  # Within the tolerance, but too small.
        (SMALL_EFFECT, 1.0, -3.0, 4.0, "undecided"),
        (SMALL_EFFECT, 2.0, 1.0, 3.0, "not reproduced"),  # The wrong sign.
        (EQUAL, 0.1, -0.1, 0.3, "reproduced"),
        (EQUAL, 0.1, -0.5, 0.7, "undecided"),
        (EQUAL, 0.9, 0.4, 1.4, "not reproduced"),
        (ORDER, 1.0, 0.1, 2.0, "reproduced"),
        (ORDER, 1.0, -0.1, 2.0, "undecided"),
        (ORDER, -1.0, -2.0, -0.1, "not reproduced"),
        (SIZE, 2e-6, 1e-6, 9e-6, "reproduced"),
        (SIZE, 2e-6, 0.0, 2e-5, "undecided"),
        (SIZE, 2e-4, 1e-4, 9e-4, "not reproduced"),
        (STRONG, 0.8, 0.71, 0.9, "reproduced"),
        (STRONG, 0.68, 0.6, 0.76, "direction reproduced"),
        (STRONG, 0.1, -0.6, 0.8, "undecided"),
        (STRONG, 0.1, -0.1, 0.3, "not reproduced"),
        (SMALL, 1.1, 1.0, 1.2, "reproduced"),
        (SMALL, 1.1, 1.0, 1.3, "undecided"),
        (SMALL, 1.4, 1.3, 1.5, "not reproduced"),
        (EFFECT, float("nan"), 0.0, 0.0, "not attempted"),
    ],
)
def test_verdicts(claim: Claim, value: float, low: float, high: float, verdict: str) -> None:
    measured = Measured(claim.claim, value, low, high)
    assert judge(claim, measured) == verdict
    assert {s.verdict for s in score([measured], [claim])} == {verdict}
    assert {s.verdict for s in score([measured], [claim], judged=False)} == {"no verdict"}


@pytest.mark.parametrize("claim", [EFFECT, SMALL_EFFECT, EQUAL, ORDER, SIZE, STRONG, SMALL])
def test_noise_never_helps(claim: Claim) -> None:
    """The same value with a wider interval: reproduced, then perhaps direction, then undecided."""
    ranks = {"not reproduced": 0, "undecided": 1, "direction reproduced": 2, "reproduced": 3}
    rng = np.random.default_rng(0)
    scale = 10.0 * abs(claim.target or 1.0)
    for value in rng.uniform(-scale, scale, size=400):
        widths = np.sort(rng.uniform(0.0, scale, size=8))
        found = [judge(claim, Measured("c", value, value - w, value + w)) for w in widths]
        best = max(ranks[found[0]], ranks["undecided"])
        assert all(ranks[verdict] <= best for verdict in found)


@pytest.mark.parametrize("paper", PAPERS)
def test_what_does_nothing_reproduces_no_effect(paper: str) -> None:
    """The null runs themselves, with intervals of any width: other seeds gave 4 points."""
    rng = np.random.default_rng(0)
    for claim in study_class(paper).claims().values():
        if claim.null is None:
            continue
        scale = abs(claim.target or 1.0)
        for null in (claim.null, claim.null + 0.1 * scale, claim.null - 0.1 * scale):
            for below, above in rng.uniform(0.0, 3.0 * scale, size=(50, 2)):
                measured = Measured(claim.claim, null, null - below, null + above, null=null)
                assert judge(claim, measured) in ("undecided", "not reproduced")


@pytest.mark.parametrize("claim", [EFFECT, SMALL_EFFECT, ORDER])
def test_other_seeds_that_are_worse_do_not_help(claim: Claim) -> None:
    """No effect at all, measured where other seeds went the wrong way by as much as claimed."""
    assert claim.null is not None
    size = abs(claim.target or 1.0)
    away = claim.null - np.copysign(size, (claim.target or 1.0) - claim.null)
    nothing = Measured("c", claim.null, claim.null - 0.1 * size, claim.null + 0.1 * size)
    found = judge(claim, dataclasses.replace(nothing, null=float(away)))
    assert found == judge(claim, nothing)
    assert found in ("undecided", "not reproduced")


@pytest.mark.parametrize("paper", PAPERS)
def test_a_claim_without_a_value_is_not_attempted(paper: str) -> None:
    claims = study_class(paper).claims().values()
    assert {s.verdict for s in score([], claims)} <= {"not attempted"}
    with pytest.raises(UsageError, match="unknown claim 'no-such-claim'"):
        score([Measured("no-such-claim", 1.0, 1.0, 1.0)], claims)


def test_html_in_cells_is_text() -> None:
    page = table_html(
        pd.DataFrame({"<b>x</b>": ["<img src=x onerror=alert(1)>"]}), name='"><b>name'
    )
    assert "<img" not in page
    assert "<b>" not in page
    assert "ab" in table_html(pd.DataFrame({"x": ["a\x08b"]}), name="control character")


def test_several_values_of_a_cell_have_lines_of_their_own() -> None:
    cells = ["1 [0, 2]; -3.5 [-4.0, -2]; \u00d72", "1 [0, 2]", "no; interval"]
    page = table_html(pd.DataFrame({"x": cells}), name="values")
    inside = re.findall(r"<td[^>]*>(.*?)</td>", page)
    assert inside == [
        "1 <small>[0, 2]</small>;<br>\u22123.5 <small>[\u22124.0, \u22122]</small>;<br>\u00d72",
        "1<br><small>[0, 2]</small>",
        "no; interval",
    ]


# Published runs.


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("data_folder", [False, True])
def test_published_runs_cover_the_laptop_preset(
    paper: str, data_folder: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any data but the package's, and without reading a whole run."""
    monkeypatch.delenv("STABLIB_DATA", raising=False)
    if data_folder:
        monkeypatch.setenv("STABLIB_DATA", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    whole = files.read

    def refuse(path: Path) -> object:
        assert path.parent.name == "data", f"{path} was read"  # Labels alone.
        return whole(path)

    monkeypatch.setattr(files, "read", refuse)
    study = open_study(paper)
    assert study.missing() == []
    assert study.store.published is not None
    packs = {path.stem for path in study.store.published_files()}
    wanted = [g for r in study.wanted() for g in groups(r, study.inputs(r.recipe))]
    assert len(wanted) >= 10
    assert {group.key for group in wanted} <= packs
    assert {study.inputs(r.recipe).notice for r in study.wanted()} == {""}


@pytest.mark.slow
@pytest.mark.parametrize("paper", PAPERS)
def test_published_runs_of_the_laptop_preset_are_whole(paper: str) -> None:
    study = open_study(paper)
    for request in [*study.wanted(), *filter(study.has, study.optional())]:
        inputs = study.inputs(request.recipe)
        assert lacking(request, study.store, inputs, by_reading=True) is None, request.recipe


def test_every_pack_belongs_to_a_study() -> None:
    """What no exhibit asks for would be carried along for ever."""
    known = set()
    for paper in PAPERS:
        study = open_study(paper)
        for request in [*study.wanted(), *study.optional()]:
            known |= {group.key for group in groups(request, study.inputs(request.recipe))}
    assert {path.stem for path in RunStore().published_files()} <= known


def test_the_recommenders_packs_fit_ten_megabytes() -> None:
    """Scores of negatives would take half of it, and are kept where they are asked for alone."""
    study = open_study("recommender")
    keys = {
        group.key
        for request in [*study.wanted(), *study.optional()]
        for group in groups(request, study.inputs(request.recipe))
    }
    packs = [path for path in RunStore().published_files() if path.stem in keys]
    assert packs
    assert sum(path.stat().st_size for path in packs) < 10_000_000


# A run's key is only worth something if training it again gives the same answer.


@dataclasses.dataclass(frozen=True)
class Retrained:
    """What is trained anew, and how far it may be from what is published.

    On the processor that made the published runs, or one of its name, every difference is 0.
    """

    request: Request
    count: int
    #: By record, in the unit of its difference.
    limits: dict[str, float]
    #: The same on processors of other names; the same limits by default.
    elsewhere: dict[str, float] = dataclasses.field(default_factory=dict)
    #: The same on those of another maker; those of other names by default.
    other_maker: dict[str, float] = dataclasses.field(default_factory=dict)

    def limit(self, record: str, there: Mapping[str, Any], here: Mapping[str, Any]) -> float:
        """How far it may be, by where it was trained before and where it was now."""
        limits = dict(self.limits)
        if any(there[part] != here[part] for part in PROCESSOR if part in there):
            limits |= self.elsewhere
        if maker(there) != maker(here):
            limits |= self.other_maker
        return limits[record]


def maker(provenance: Mapping[str, Any]) -> str:
    """Who made a processor: Intel(R), AMD."""
    return str(provenance["hardware"]).partition(" ")[0]


LI, SI = open_study("local_instability"), open_study("synthetic_irreproducibility")
MASSIVE = Design(LI.settings, "massive")
BY_TITLE = {variant.title: request for variant, request in MASSIVE.runs().items()}
#: Another processor rounds differently, and a near tie may fall to the other side. Labels are in
#: percent; of probabilities the largest difference is looked at, and the ties are among them.
LABELS = {"final": 0.2, "steps": 0.2, "probabilities": 0.02}
HEADS = {
    **{name: BY_TITLE[name] for name in ("Control", "SWA", "Label smoothing", "TGTSS, shared")},
    "L2": BY_TITLE["L2"],
    "TGTSS, own": BY_TITLE["TGTSS, own"],
    "Control, watched": MASSIVE.steps()[CONTROL],
    "order alone": MASSIVE.sources()["order"],
    "generated corpus": standin(LI.settings),
}


def stream(name: str) -> Request:
    """The curve at its middle window, where order, and not rounding alone, makes a difference."""
    d = SI.design
    curves = [*d.simple(), *d.towers(), *d.embeddings()]
    if name.startswith("1024-512"):
        name, curves = name.removeprefix("1024-512 "), d.quadratic()
    (curve,) = [curve for curve in curves if curve.name == name]
    return d.request(curve.recipes[len(curve.recipes) // 2])


#: In percent of PD. The compiled kernels round alike on all processors that were tried, but for
#: the exponential: 1e-12 without FMA instructions. A ReLU tower's PD jumps at some step, and which
#: one that is can differ between processors; with embeddings 2.6 were seen on another maker's.
#: Matrix products of the wide layers add up in another order with other vector instructions, and
#: how far that leads in streams as long as these has not been measured.
KERNELS, UNLIKE = {"pair": 1e-6}, {"pair": float("inf")}
STREAMS = {
    "linear": Retrained(stream("linear"), 2, KERNELS),
    "relu 2": Retrained(stream("relu 2"), 2, KERNELS),
    "tower": Retrained(stream("relu 16-8-4-2"), 2, KERNELS, UNLIKE),
    "embedding": Retrained(stream("relu, adagrad 0.1"), 1, KERNELS, other_maker={"pair": 8.0}),
    "1024-512": Retrained(stream("1024-512 relu"), 1, KERNELS, UNLIKE),
    "1024-512, warm start": Retrained(stream("1024-512 relu TL"), 1, KERNELS, UNLIKE),
}


ND = open_study("nondeterminism")
#: The linear model is immune to rounding at its rate: another processor moves near ties alone.
IMAGES = Retrained(ND.design.shallow()["linear"]["all"], 1, {"logits": 0.2, "curve": 1e-4})

TASTES = open_study("recommender").design
#: How far another processor's rounding leads has not been measured.
UNKNOWN = {"ranked": float("inf"), "hit_curve": float("inf"), "attended": float("inf")}
RECOMMENDERS = {
    name: Retrained(request, 1, {"ranked": 0.01, "hit_curve": 0.001, "attended": 5.0}, UNKNOWN)
    for name, request in (
        ("GMF", TASTES.small()[GMF]),
        ("DeepICF on generated choices", TASTES.known()[DEEPICF]),
    )
}

#: What tells of a run how it was rounded.
PROCESSOR = ("hardware", "instructions")


def compare(study: Study, retrained: Retrained, folder: Path) -> None:
    """Train the first seeds anew, into an empty store."""
    store = RunStore(folder / "runs", folder / "none")
    packs = RunStore(folder / "nothing", RunStore().published)
    inputs = study.inputs(retrained.request.recipe)
    blocks = [(plan,) for plan in retrained.request.plans]
    first = retrained.request.only(blocks[: retrained.count])
    fresh = secure(first, store, inputs)
    for group, runs in zip(groups(first, inputs), fresh, strict=True):
        for run in runs:
            published = packs.read(group, run.plans)
            other = packs.read(group, blocks[-1] if len(blocks) > 1 else run.plans)
            assert published is not None
            assert other is not None
            origins = (run.provenance["origin"], published.provenance["origin"])
            assert origins == ("local store", "published runs")
            assert run.arrays.keys() == published.arrays.keys()
            kind = group.record.kind
            limit = retrained.limit(kind, published.provenance, run.provenance)
            assert group.record.difference(run.arrays, published.arrays) < limit
            # The limit tells seeds apart.
            if limit < float("inf"):
                assert group.record.difference(run.arrays, other.arrays) > 2 * limit


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", HEADS)
def test_published_heads_are_trained_to_the_same_labels(name: str, tmp_path: Path) -> None:
    compare(LI, Retrained(HEADS[name], 2, LABELS), tmp_path)


@pytest.mark.retrain
@pytest.mark.timeout(1200)
def test_a_published_fine_tuned_run_is_trained_to_the_same_labels(tmp_path: Path) -> None:
    compare(LI, Retrained(fine_tuning(LI.settings)[CONTROL], 1, LABELS), tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_published_classifier_of_images_is_trained_to_the_same_labels(
    real_data: Path, tmp_path: Path
) -> None:
    assert real_data
    compare(ND, IMAGES, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", RECOMMENDERS)
def test_published_recommenders_are_trained_to_the_same_scores(
    name: str, real_data: Path, tmp_path: Path
) -> None:
    assert real_data
    retrained = RECOMMENDERS[name]
    # On a processor that it does not know, OpenBLAS rounds as on older ones, whatever torch does:
    # what a run says of its instructions are torch's.
    if "Haswell" in {library.get("architecture") for library in threadpool_info()}:
        retrained = dataclasses.replace(
            retrained, limits={**retrained.limits, **retrained.elsewhere}
        )
    compare(open_study("recommender"), retrained, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", STREAMS)
def test_published_pairs_are_trained_to_the_same_difference(name: str, tmp_path: Path) -> None:
    compare(SI, STREAMS[name], tmp_path)
