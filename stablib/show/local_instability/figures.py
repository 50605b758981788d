"""Figures of the local instability paper."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy import stats

from stablib.metrics import (
    HIGH_ENTROPY,
    centred_interval,
    confidence_mean,
    confidence_sd,
    cumulative_label_entropy,
    entropy_confidence_replicates,
)
from stablib.papers.claims import Measured
from stablib.show.exhibit import Exhibit, left_out, record
from stablib.show.local_instability.answers import of_regions, settled
from stablib.show.local_instability.comparison import CLAIMS, NOT_LOOKED_AT, correlation, generator
from stablib.show.style import PALETTE, VISIBLE, figure
from stablib.studies.local_instability import CONTROL, Results, Variant

#: Resamples of runs for the intervals of correlations.
_RESAMPLES = 200

#: The method of Figures 3 and 8.
TGTSS = Variant("tgtss", "shared")


def _scatter(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    """One point an utterance; many coincide, so they are small and see-through."""
    axes.scatter(x, y, s=10, alpha=0.9, linewidths=0, color=PALETTE[0], rasterized=True)


def _fit(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    """Draw the least-squares line and describe it."""
    line = stats.linregress(x, y)
    ends = np.array([x.min(), x.max()])
    axes.plot(ends, line.intercept + line.slope * ends, color=PALETTE[1], linewidth=2)
    spearman = stats.spearmanr(x, y).statistic
    text = f"r = {line.rvalue:.2f}, Spearman {spearman:.2f}\nslope {line.slope:.2f}"
    axes.text(0.02, 0.98, text, transform=axes.transAxes, va="top")
    return (
        f"Pearson r {line.rvalue:.2f}, slope {line.slope:.2f}, Spearman correlation {spearman:.2f}"
    )


def le_m_against_sigma(results: Results | None, exhibit: str) -> Exhibit:
    """LE_m against sigma_m of each utterance, with a linear fit (LI-F1, LI-F7)."""
    if results is None:
        return left_out(exhibit, NOT_LOOKED_AT)
    le_m, sigma = results.le_m[CONTROL], confidence_sd(results.confidence(CONTROL))
    r = correlation(sigma, le_m)
    entropies, spreads = entropy_confidence_replicates(
        results.labels(CONTROL),
        results.confidence(CONTROL),
        rng=generator(),
        n_resamples=_RESAMPLES,
    )
    draws = [correlation(s, e) for s, e in zip(spreads, entropies, strict=True)]
    claim = f"f1-{results.dataset.name}-r"
    measured = [Measured(claim, r, *centred_interval(r, draws))]
    with figure() as made:
        axes = made.axes[0]
        _scatter(axes, sigma, le_m)
        fit = _fit(axes, sigma, le_m)
        axes.set(xlabel="σₘ: sd of the gold-label probability over runs", ylabel="LEₘ (nats)")
        return record(
            exhibit,
            made,
            made_by=le_m_against_sigma,
            results=[results],
            numbers=pd.DataFrame(
                {
                    "id": results.dataset.ids[results.split],
                    "sigma_m": sigma,
                    "le_m_nats": le_m,
                }
            ),
            alt=f"Scatter of LE_m against sigma_m, one point an utterance, with a line: {fit}.",
            measured=_known(exhibit, measured),
            caption="LE_m against σ_m of each utterance in control, with the least-squares line.",
            finding=f"Here {fit}; the paper calls the relation strong and gives no coefficient.",
        )


def le_s_against_le_m(results: Results | None, exhibit: str) -> Exhibit:
    """LE_s of one run against LE_m of each utterance, with a linear fit (LI-F2, LI-F6)."""
    if results is None:
        return left_out(exhibit, NOT_LOOKED_AT)
    le_m, le_s = results.le_m[CONTROL], results.le_s[CONTROL]
    each = [correlation(run, le_m) for run in le_s]
    entropies, _ = entropy_confidence_replicates(
        results.labels(CONTROL),
        results.confidence(CONTROL),
        rng=generator(),
        n_resamples=_RESAMPLES,
    )
    draws = [correlation(le_s[0], entropy) for entropy in entropies]
    claim = f"f2-{results.dataset.name}-r"
    measured = [Measured(claim, each[0], *centred_interval(each[0], draws))]
    with figure() as made:
        axes = made.axes[0]
        _scatter(axes, le_s[0], le_m)
        fit = _fit(axes, le_s[0], le_m)
        axes.set(xlabel="LEₛ of one run (nats)", ylabel="LEₘ (nats)")
        return record(
            exhibit,
            made,
            made_by=le_s_against_le_m,
            results=[results],
            numbers=pd.DataFrame(
                {
                    "id": results.dataset.ids[results.split],
                    "le_s_nats": le_s[0],
                    "le_m_nats": le_m,
                }
            ),
            alt=f"Scatter of LE_m against LE_s, one point an utterance, with a line: {fit}.",
            measured=_known(exhibit, measured),
            caption=(
                "LE_s of the first control run, over all of its steps, against LE_m. Over the "
                f"watched runs r is {min(each):.2f} to {max(each):.2f}."
            ),
            finding=f"Here {fit}; the paper calls the relation strong and gives no coefficient.",
        )


def _known(exhibit: str, measured: list[Measured]) -> list[Measured]:
    """What answers a claim about this exhibit: not about another data set."""
    return [m for m in measured if m.claim in CLAIMS and CLAIMS[m.claim].exhibit == exhibit]


def confidence_map(results: Results | None, exhibit: str) -> Exhibit:
    """mu_m against sigma_m of each utterance (LI-F4, LI-F5)."""
    if results is None:
        return left_out(exhibit, NOT_LOOKED_AT)
    confidence = results.confidence(CONTROL)
    mu, sigma = confidence_mean(confidence), confidence_sd(confidence)
    regions = {
        "high confidence, stable (μ_m > .9, σ_m < .1)": (mu > 0.9) & (sigma < 0.1),
        "low confidence, stable (μ_m < .1, σ_m < .1): label errors?": (mu < 0.1) & (sigma < 0.1),
        "unstable (σ_m > .2)": sigma > 0.2,
    }
    shares = "; ".join(f"{name} {100 * part.mean():.1f} %" for name, part in regions.items())
    with figure() as made:
        axes = made.axes[0]
        points = axes.scatter(
            mu, sigma, c=results.le_m[CONTROL], cmap=VISIBLE, s=9, rasterized=True
        )
        made.colorbar(points, label="LEₘ (nats)")
        axes.set(xlabel="μₘ: mean gold-label probability over runs", ylabel="σₘ: its sd over runs")
        return record(
            exhibit,
            made,
            made_by=confidence_map,
            results=[results],
            numbers=pd.DataFrame(
                {
                    "id": results.dataset.ids[results.split],
                    "mu_m": mu,
                    "sigma_m": sigma,
                    "le_m_nats": results.le_m[CONTROL],
                }
            ),
            alt=(
                "Scatter of sigma_m against mu_m, one point an utterance: an arch, low on both "
                f"sides and high in the middle. Shares: {shares}."
            ),
            measured=of_regions(results),
            finding=f"Share of the utterances: {shares}.",
            caption="Mean and spread of confidence over runs; each point is an utterance.",
        )


def _stable_and_unstable(
    results: Results, method: Variant, count: int = 3
) -> tuple[list[int], list[int]]:
    """Utterances for the trajectories, by rule: never switching, and those that gain most."""
    before, after = results.le_s[CONTROL][0], results.le_s[method][0]
    confidence = confidence_mean(results.confidence(CONTROL))
    stable = np.argsort(before - confidence, kind="stable")[:count]
    unstable = np.argsort(after - before, kind="stable")[:count]
    return list(stable), list(unstable)


def trajectories(results: Results, method: Variant = TGTSS) -> Exhibit:
    """Gold-label probability over steps before and after TGTSS (LI-F3)."""
    curves = {m: results.curves[m]["gold"][0].astype(np.float64) for m in (CONTROL, method)}
    stable, unstable = _stable_and_unstable(results, method)
    return _before_after(
        results,
        method,
        exhibit="LI-F3",
        curves=curves,
        chosen=(stable, unstable),
        ylabel="gold-label probability",
        made_by=trajectories,
        caption=(
            "Gold-label probability of three stable (solid) and three unstable (dashed) "
            f"utterances over the steps of one run, control against {method.title}; the unstable "
            "ones are those whose LE_s falls most."
        ),
    )


def entropy_over_steps(results: Results, method: Variant = TGTSS) -> Exhibit:
    """Cumulative label entropy over steps before and after TGTSS (LI-F8)."""
    curves = {
        m: cumulative_label_entropy(results.traces[m]["labels"][0]) for m in (CONTROL, method)
    }
    stable, unstable = _stable_and_unstable(results, method)
    return _before_after(
        results,
        method,
        exhibit="LI-F8",
        curves=curves,
        chosen=(stable, unstable),
        ylabel="label entropy up to the step (nats)",
        made_by=entropy_over_steps,
        caption=(
            "Label entropy of the predictions up to each step, for the utterances of LI-F3, "
            f"control against {method.title}."
        ),
        measured=settled(results, method),
    )


def _before_after(
    results: Results,
    method: Variant,
    *,
    exhibit: str,
    curves: dict[Variant, NDArray[np.float64]],
    chosen: tuple[Sequence[int], Sequence[int]],
    ylabel: str,
    made_by: object,
    caption: str,
    measured: Sequence[Measured] = (),
) -> Exhibit:
    """Two panels of curves over steps: control on the left, the method on the right."""
    steps = results.traces[CONTROL]["steps"][0]
    ids = results.dataset.ids[results.split]
    texts = results.texts()
    with figure(width=8.5, height=4.6, columns=2) as made:
        for axes, (name, curve) in zip(made.axes, curves.items(), strict=True):
            for style, places in zip(("-", "--"), chosen, strict=True):
                for place in places:
                    color = PALETTE[[*chosen[0], *chosen[1]].index(place)]
                    axes.plot(
                        steps, curve[:, place], style, color=color, label=_short(texts[place])
                    )
            axes.set(title=name.title, xlabel="optimization step")
        made.axes[0].set_ylabel(ylabel)
        handles, labels = made.axes[0].get_legend_handles_labels()
        made.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=9)
        places = [*chosen[0], *chosen[1]]
        late = {
            name: curve[len(steps) // 2 :, chosen[1]].std(axis=0).mean()
            for name, curve in curves.items()
        }
        frames = [
            pd.DataFrame({"method": name.title, "id": ids[p], "step": steps, "value": curve[:, p]})
            for name, curve in curves.items()
            for p in places
        ]
        return record(
            exhibit,
            made,
            made_by=made_by,  # type: ignore[arg-type]
            results=[results],
            numbers=pd.concat(frames, ignore_index=True),
            alt=(
                f"{caption} Curves of six utterances in two panels, {CONTROL.title} and "
                f"{method.title}."
            ),
            finding=(
                "Over the last half of the steps the curves of the unstable utterances have an sd "
                f"of {' and '.join(f'{sd:.3f} ({name.title})' for name, sd in late.items())}."
            ),
            caption=caption,
            measured=measured,
        )


def _short(text: str, length: int = 38) -> str:
    # A leading underscore would hide the curve from the legend; a dollar sign starts a formula.
    plain = text.replace("$", r"\$")
    return plain if len(plain) <= length else plain[: length - 1] + "…"


def finds_ambiguous(
    results: Results, mean_prediction: NDArray[np.float64], ambiguous: NDArray[np.bool_]
) -> Exhibit:
    """Does label entropy find the utterances that are ambiguous by construction? (LI-X2)."""
    confidence = results.confidence(CONTROL)
    scores = {
        "LE_m": results.le_m[CONTROL],
        "σ_m": confidence_sd(confidence),
        "1 − μ_m (needs gold labels)": 1.0 - confidence_mean(confidence),
        "entropy of the mean prediction": stats.entropy(mean_prediction, axis=1),
    }
    aurocs = {name: _auroc(score[ambiguous], score[~ambiguous]) for name, score in scores.items()}
    best = max(aurocs, key=lambda name: aurocs[name])
    frame = pd.DataFrame(
        {
            "score": list(scores),
            "AUROC": [f"{value:.3f}" for value in aurocs.values()],
            "mean, ambiguous": [f"{score[ambiguous].mean():.3f}" for score in scores.values()],
            "mean, others": [f"{score[~ambiguous].mean():.3f}" for score in scores.values()],
        }
    )
    return record(
        "LI-X2",
        frame,
        made_by=finds_ambiguous,
        finding=(
            f"Label entropy ranks an ambiguous utterance above another one with probability "
            f"{aurocs['LE_m']:.2f}; the best of the scores is {best} with {aurocs[best]:.2f}."
        ),
        results=[results],
        caption=(
            f"Ranking utterances of the generated corpus by each score: {ambiguous.sum()} of "
            f"{len(ambiguous)} are ambiguous by construction. AUROC: probability that an ambiguous "
            "utterance ranks above another one; 0.5 is chance."
        ),
    )


def _auroc(above: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Probability that one of the first ranks above one of the others; ties count half."""
    u = stats.mannwhitneyu(above, others).statistic
    return float(u / (len(above) * len(others)))


def entropy_histogram(results: Results) -> Exhibit:
    """Where the instability is: the distribution of LE_m over utterances (LI-X3)."""
    le_m = results.le_m[CONTROL]
    ordered = np.sort(le_m)[::-1]
    share = np.cumsum(ordered) / max(ordered.sum(), np.finfo(float).tiny)
    part = np.arange(1, len(ordered) + 1) / len(ordered)
    half = 100 * part[int(np.searchsorted(share, 0.5))]
    zero, high = 100 * np.mean(le_m == 0), 100 * np.mean(le_m > HIGH_ENTROPY)
    with figure() as made:
        axes = made.axes[0]
        sns.lineplot(x=100 * part, y=100 * share, ax=axes, linewidth=2)
        axes.set(xlabel="utterances, most unstable first (%)", ylabel="share of the summed LEₘ (%)")
        return record(
            "LI-X3",
            made,
            made_by=entropy_histogram,
            results=[results],
            numbers=pd.DataFrame({"utterances_pct": 100 * part, "share_pct": 100 * share}),
            alt=(
                f"Curve that rises steeply: {half:.1f} % of the utterances hold half of the summed "
                "label entropy."
            ),
            finding=(
                f"Instability is local: all runs agree on {zero:.1f} % of the utterances, "
                f"{high:.1f} % lie above LE_m = {HIGH_ENTROPY}, and {half:.1f} % hold half of the "
                "summed LE_m."
            ),
            caption="Share of the summed LE_m that the most unstable utterances hold.",
        )
