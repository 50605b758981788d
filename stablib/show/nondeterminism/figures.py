"""Figures of the nondeterminism paper."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stablib.metrics import (
    centred_interval,
    cka_of_products,
    pair_mean,
    resampled_pair_mean,
    resampled_sd,
    sd_over_runs,
)
from stablib.papers.claims import Measured
from stablib.runs import Runs
from stablib.show.exhibit import Exhibit, record
from stablib.show.nondeterminism.comparison import RUNS, answer, by_luck, finite
from stablib.show.nondeterminism.widgets import distances
from stablib.show.style import PALETTE, figure, line
from stablib.studies.nondeterminism import BIT, Results, Trainings
from stablib.workloads.images import products

_LAYERS = "products_"
#: The least sd that is told from none.
_FLOOR = float(np.finfo(np.float64).eps)


def similarity(trainings: Trainings) -> Exhibit:
    """How alike the layers of two runs are, by what varies between them (ND-F1)."""
    layers = _layers(next(iter(trainings.runs.values())))
    # Of shape (1 + n_resamples,) by row and layer: the runs themselves, then resamples.
    found = {
        (row, layer): _of_pairs(cka_of_products(products(runs[layer])))
        for row, runs in trainings.runs.items()
        for layer in layers
    }
    frame = pd.DataFrame(
        [
            (row, _in_words(layer), draws[0], *centred_interval(draws[0], draws[1:]))
            for (row, layer), draws in found.items()
        ],
        columns=["row", "layer", "CKA", "low", "high"],
    )
    # The paper's sentence is about sources; one bit is drawn beside them.
    rows = [row for row in trainings.runs if row != BIT]
    table = np.stack([[found[row, layer] for layer in layers] for row in rows])
    between_rows = np.ptp(table, axis=0).mean(axis=0)
    between_layers = np.ptp(table.mean(axis=0), axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):  # A resample may hold one run alone.
        share = between_rows / between_layers
    with figure(width=7.6, height=4.4) as made:
        axes = made.axes[0]
        names = [_in_words(layer) for layer in layers]
        for number, (row, part) in enumerate(frame.groupby("row", sort=False)):
            line(
                axes,
                np.arange(len(names)) + 0.06 * (number - len(trainings.runs) / 2),
                part["CKA"],
                part["low"],
                part["high"],
                number=number,
                label=str(row),
            )
        axes.set(xticks=range(len(names)), xticklabels=names, ylabel="linear CKA of two runs")
        made.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
        finding = (
            f"Layers differ by {between_layers[0]:.2f} (means over rows), rows by "
            f"{between_rows[0]:.2f} (mean over layers)."
        )
        return record(
            "ND-F1",
            made,
            made_by=similarity,
            results=[trainings],
            numbers=frame,
            measured=answer("f1-dwarfed", finite(float(share[0]), share[1:])),
            finding=finding,
            alt=f"Lines of CKA over the layers, one for each source of nondeterminism. {finding}",
            caption=(
                "Linear CKA of the states that two runs make of the same test images, mean over "
                "pairs, with 95 % bootstrap intervals over runs, after the first convolution, "
                "after each block, averaged over the image, and of the logits. Of so few images it "
                "is biased upwards."
            ),
        )


def _of_pairs(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over pairs, of the runs and then of resamples of them."""
    draws = resampled_pair_mean(matrix, RUNS.weights(len(matrix)))
    return np.concatenate([[pair_mean(matrix)], draws])


def _layers(runs: Runs) -> list[str]:
    """Arrays of the layers, from the inputs on."""
    blocks = (f"block_{k}" for k in range(1, 9))
    names = ["first_convolution", *blocks, "average_pool", "logits"]
    return [f"{_LAYERS}{name}" for name in names if f"{_LAYERS}{name}" in runs]


def _in_words(layer: str) -> str:
    return layer.removeprefix(_LAYERS).replace("_", " ")


def onset(trainings: Trainings, others: Results) -> Exhibit:
    """How much runs vary that are the same until some epoch (ND-F2).

    ``others`` has runs of which everything varies, with two sets of seeds.
    """
    n_epochs, n_test = trainings.recipe.epochs, trainings.n_test
    measures: dict[str, Callable[[Runs], NDArray[np.float64]]] = {
        "sd of accuracy (points)": lambda runs: 100.0 * runs["correct"][:, -1] / n_test,
        "sd of cross-entropy (nats)": lambda runs: runs["losses"][:, -1],
    }
    rows = []
    sds: dict[str, list[tuple[float, NDArray[np.float64]]]] = {}
    for measure, of in measures.items():
        for epoch, runs in trainings.runs.items():
            # Of shape (1 + n_resamples,): the runs themselves, then resamples.
            values = of(runs)
            once = np.ones((1, len(values)), dtype=np.int64)
            weights = np.concatenate([once, RUNS.weights(len(values))])
            sd = resampled_sd(values[:, None], weights)[:, 0]
            share = (int(epoch) - 1) / n_epochs
            sds.setdefault(measure, []).append((share, sd))
            rows.append((measure, int(epoch), share, sd[0], *centred_interval(sd[0], sd[1:])))
    frame = pd.DataFrame(rows, columns=["measure", "epoch", "share", "sd", "low", "high"])
    with figure(width=8.8, height=4.0, columns=2, sharey=False) as made:
        for axes, (measure, part) in zip(
            made.axes, frame.groupby("measure", sort=False), strict=True
        ):
            ends = (part["sd"], part["low"], part["high"])
            line(axes, 100.0 * part["share"], *ends, number=0, label="sd")
            axes.set(
                xlabel="share of the training that is the same (%)", ylabel=measure, ylim=(0, None)
            )
        finding = "; ".join(
            f"{measure}: {part['sd'].iloc[0]:.4f} from the beginning, {part['sd'].iloc[-1]:.4f} "
            f"after {100.0 * part['share'].iloc[-1]:.0f} %"
            for measure, part in frame.groupby("measure", sort=False)
        )
        return record(
            "ND-F2",
            made,
            made_by=onset,
            results=[trainings, others],
            numbers=frame,
            measured=_onset_answers(sds, others, min(map(len, trainings.runs.values()))),
            finding=f"{finding}.",
            alt=f"Sds of accuracy and loss over the share that is the same. {finding}",
            caption=(
                "Standard deviations over runs (ddof 0), with 95 % bootstrap intervals, of runs "
                "with the same initial weights whose order of examples, augmentation and order of "
                "additions have one seed until some epoch and seeds of their own from there on. "
                f"{_judged_after(frame['share'])}"
            ),
        )


#: Shares of the training that count as a tenth, and as late.
_TENTH, _LATE = (0.05, 0.15), (0.7, 0.8)


def _judged_after(shares: Iterable[float]) -> str:
    """Say after which shares the paper's sentences are judged: not every epoch is looked at."""
    told = []
    for words, (low, high) in (("a tenth", _TENTH), ("three quarters", _LATE)):
        near = [f"{100.0 * share:.0f} %" for share in dict.fromkeys(shares) if low <= share <= high]
        if near:
            told.append(f"{words} of the training here means {' and '.join(near)}")
    return f"In the paper's sentences {' and '.join(told)}." if told else ""


def _onset_answers(
    sds: Mapping[str, Sequence[tuple[float, NDArray[np.float64]]]], others: Results, n_runs: int
) -> list[Measured]:
    """How runs that differ late compare with runs that differ from the beginning."""
    nulls = by_luck(others, n_runs)[: len(sds)]  # Sds of accuracy and of loss are the first.
    found = []
    for name, null, by_share in zip(("accuracy-sd", "ce-sd"), nulls, sds.values(), strict=True):
        start = by_share[0][1]
        for share, sd in by_share:
            with np.errstate(divide="ignore", invalid="ignore"):  # Runs may all be equal.
                ratio = sd / start
            if _TENTH[0] <= share <= _TENTH[1]:
                found += answer(f"f2-early-{name}", finite(float(ratio[0]), ratio[1:]))
            elif _LATE[0] <= share <= _LATE[1]:
                fall = 100.0 * (1.0 - ratio)
                found += answer(f"f2-late-{name}", finite(float(fall[0]), fall[1:]), null=null)
    return found


def over_epochs(by_model: Mapping[str, Results]) -> Exhibit:
    """Loss over the epochs of runs that differ by one bit, with and without a layer (ND-F3)."""
    shown = [by_model[model] for model in ("linear", "hidden_dense")]
    names = [results.recipe.model_name for results in shown]
    losses = [results.runs[BIT]["losses"] for results in shown]
    sds = [sd_over_runs(each) for each in losses]
    epochs = np.arange(1, losses[0].shape[1] + 1)
    ranges = [np.quantile(each, [0.025, 0.975], axis=0) for each in losses]
    with figure(width=8.8, height=6.8, columns=2, rows=2, sharey=False) as made:
        panels = np.array(made.axes).reshape(2, 2)
        for row, last in zip(panels, (len(epochs), 10), strict=True):
            part = slice(None, last)
            for number, name in enumerate(names):
                look = {"color": PALETTE[number], "label": name}
                low, high = ranges[number][:, part]
                row[0].fill_between(epochs[part], low, high, alpha=0.5, linewidth=0, **look)
                row[0].plot(epochs[part], losses[number].mean(axis=0)[part], **look)
                # A spread of nothing has no place on a logarithmic axis.
                seen = np.where(sds[number] > 0.0, sds[number], np.nan)[part]
                row[1].plot(epochs[part], seen, marker="os"[number], markersize=4, **look)
            row[0].set(xlabel="epoch", ylabel="cross-entropy (nats)")
            row[1].set(xlabel="epoch", ylabel="sd of cross-entropy (nats)", yscale="log")
        panels[0, 1].legend()
        frame = pd.concat(
            [
                pd.DataFrame({"model": name, "epoch": epochs, "low": low, "high": high, "sd": sd})
                for name, (low, high), sd in zip(names, ranges, sds, strict=True)
            ],
            ignore_index=True,
        )
        least, draws = _least_ratio(losses)
        finding = (
            f"Sd over twins at the end: {sds[0][-1]:.1e} nats ({names[0]}) and {sds[1][-1]:.1e} "
            f"({names[1]}), which after the first epoch is at least {least:.1e} times the former."
        )
        return record(
            "ND-F3",
            made,
            made_by=over_epochs,
            results=shown,
            numbers=frame,
            measured=answer("f3-lower", (least, centred_interval(least, draws))),
            finding=finding,
            alt=f"Range and sd of the loss over epochs of two networks. {finding}",
            caption=(
                "Runs that differ by one bit of one weight: middle 95 % and mean of the test loss "
                "over runs, and its standard deviation (ddof 0); below, the first ten epochs."
            ),
        )


def _least_ratio(losses: Sequence[NDArray[np.float64]]) -> tuple[float, NDArray[np.float64]]:
    """Smallest ratio, over epochs, of the sd of the second runs to that of the first; replicates.

    Not of the first epoch, in which the learning rate begins at nothing.
    """
    later = [each[:, 1:] for each in losses]
    sds = [np.maximum(sd_over_runs(each), _FLOOR) for each in later]
    draws = [np.maximum(resampled_sd(each, RUNS.weights(len(each))), _FLOOR) for each in later]
    return float((sds[1] / sds[0]).min()), (draws[1] / draws[0]).min(axis=1)


def divergence(trainings: Trainings) -> Exhibit:
    """How fast twins part, by what they differ in (ND-X4)."""
    unchanged, *others = trainings.runs
    base = trainings.runs[unchanged]
    steps = base["steps"][0]
    frames, parted = [], {}
    with figure(width=9.2, height=4.4, columns=2, sharey=False) as made:
        for number, row in enumerate(others):
            runs = trainings.runs[row]
            distance = distances(runs["weights"], base["weights"])
            differ = 100.0 * (runs["labels"] != base["labels"][0]).mean(axis=2)
            # Equal weights have no place on a logarithmic axis.
            apart = np.where(distance > 0.0, distance, np.nan)
            for axes, values in zip(made.axes, (apart, differ), strict=True):
                low, usual, high = np.quantile(values, [0.0, 0.5, 1.0], axis=0)
                axes.plot(steps, usual, color=PALETTE[number], label=row, linewidth=1.6)
                axes.fill_between(steps, low, high, color=PALETTE[number], alpha=0.2, linewidth=0)
            parted[row] = differ
            frames.append(
                pd.DataFrame(
                    {
                        "row": row,
                        "step": steps,
                        "distance": np.median(distance, axis=0),
                        "disagreement": np.median(differ, axis=0),
                    }
                )
            )
        made.axes[0].set(
            xscale="log",
            yscale="log",
            xlabel="optimization step",
            ylabel="relative distance of the weights",
        )
        made.axes[1].set(xscale="log", xlabel="optimization step", ylabel="disagreement (%)")
        handles, labels = made.axes[0].get_legend_handles_labels()
        made.legend(handles, labels, loc="outside lower center", ncols=4)
        frame = pd.concat(frames, ignore_index=True)
        reached = _compared(parted[BIT], parted["initial weights"])
        of_bit = frame["row"] == BIT
        for name, values in zip(("of initial weights", "low", "high"), reached, strict=True):
            frame.loc[of_bit, name] = values
        last = frame[frame["step"] == steps[-1]].set_index("row")
        seen = frame[(frame["row"] == BIT) & (frame["distance"] > 0.01)]["step"]
        when = f"step {seen.min()}" if len(seen) else "no step"
        finding = (
            f"Weights of twins that differ by one bit are a hundredth apart from {when} on; at the "
            "end the median disagreement with the unchanged run is "
            + ", ".join(f"{v:.1f} % ({row})" for row, v in last["disagreement"].items())
            + f"; one bit reaches {reached[0][-1]:.2f} [{reached[1][-1]:.2f}, "
            f"{reached[2][-1]:.2f}] times what initial weights do (means over twins)."
        )
        return record(
            "ND-X4",
            made,
            made_by=divergence,
            results=[trainings],
            numbers=frame,
            finding=finding,
            alt=f"Distance of weights and disagreement over steps, by source. {finding}",
            caption=(
                "Runs against one run with the seed that all else has, step by step: distance of "
                "a sample of the weights over their mean size, and share of the first test images "
                "that get another label. Lines are medians over runs, bands reach from the "
                "smallest to the largest."
            ),
        )


def _compared(
    some: NDArray[np.float64], others: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean of some runs over that of others at each step, with 95 % bootstrap intervals."""
    with np.errstate(divide="ignore", invalid="ignore"):  # At first, no label differs.
        value = some.mean(axis=0) / others.mean(axis=0)
        draws = RUNS.means(some) / RUNS.means(others, other_seeds=True)
    ends = [
        centred_interval(float(v), d) if np.isfinite(d).all() and np.isfinite(v) else (np.nan,) * 2
        for v, d in zip(value, draws.T, strict=True)
    ]
    return value, np.array([low for low, _ in ends]), np.array([high for _, high in ends])
