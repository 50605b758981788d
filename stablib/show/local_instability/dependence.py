"""What the effect of soft labels depends on (LI-X6)."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes

from stablib.show.exhibit import Exhibit, left_out, record
from stablib.show.local_instability.comparison import NOT_LOOKED_AT, percent_correct, reductions
from stablib.show.style import figure, line
from stablib.studies.local_instability import Results
from stablib.studies.local_instability.design import HEAD_MEMBERS


def by_rate_and_length(by_cell: Mapping[tuple[float, int], Results]) -> Exhibit:
    """What the effect of soft labels depends on: learning rate and epochs, of heads (LI-X6)."""
    if not by_cell:
        return left_out("LI-X6", NOT_LOOKED_AT)
    frames = []
    for (rate, epochs), results in by_cell.items():
        frame, _ = reductions(results)
        frame = frame[["reduction", "low", "high"]].assign(
            method=[method.title for method in frame.index],
            accuracy=[float(percent_correct(results, m).mean()) for m in frame.index],
        )
        frames.append(frame.assign(learning_rate=rate, epochs=epochs))
    numbers = pd.concat(frames, ignore_index=True)
    usual = {"learning_rate": _most(numbers["learning_rate"]), "epochs": _most(numbers["epochs"])}
    with figure(width=8.8, height=4.6, columns=2) as made:
        for axes, (along, held) in zip(
            made.axes, (("learning_rate", "epochs"), ("epochs", "learning_rate")), strict=True
        ):
            _along(axes, numbers[numbers[held] == usual[held]], along)
            axes.set(xscale="log", xlabel=f"{_SAID[along]} ({_SAID[held]}: {usual[held]:g})")
            places = sorted(set(numbers.loc[numbers[held] == usual[held], along]))
            axes.minorticks_off()
            axes.set_xticks(places, labels=[f"{place:g}" for place in places])
            axes.axhline(0.0, color="#888888", linewidth=0.8)
        made.axes[0].set_ylabel("reduction of LEₘ (%)")
        handles, labels = made.axes[0].get_legend_handles_labels()
        made.legend(handles, labels, loc="outside lower center", ncols=3)
        table = numbers.pivot_table("reduction", ["learning_rate", "epochs"], "method")
        gain = table["p^T, as printed, shared"] - table["no temperature, shared"]
        by_rate = gain.xs(usual["epochs"], level="epochs")
        by_length = gain.xs(usual["learning_rate"], level="learning_rate")
        finding = (
            f"Against no temperature p^T adds {by_rate.iloc[0]:+.1f} points at a learning rate of "
            f"{by_rate.index[0]:g} and {by_rate.iloc[-1]:+.1f} at {by_rate.index[-1]:g}, "
            f"{by_length.iloc[0]:+.1f} after {by_length.index[0]:g} epochs and "
            f"{by_length.iloc[-1]:+.1f} after {by_length.index[-1]:g}."
        )
        return record(
            "LI-X6",
            made,
            made_by=by_rate_and_length,
            results=list(by_cell.values()),
            numbers=numbers,
            finding=finding,
            alt=f"Two panels of the reduction by method, over learning rate and epochs. {finding}",
            caption=(
                "Heads on MASSIVE, test set, shared teachers, "
                f"{HEAD_MEMBERS} at most in an ensemble: reduction of LE_m against control of "
                "the same learning rate and length, with 95 % bootstrap intervals over runs. TGTSS "
                "leaves out the first four fifths of the steps. 'Control, other seeds' is what no "
                "method at all shows."
            ),
        )


_SAID = {"learning_rate": "learning rate", "epochs": "epochs"}


def _most(values: pd.Series) -> float:
    """The value that most cells have."""
    return float(values.mode()[0])


def _along(axes: Axes, numbers: pd.DataFrame, along: str) -> None:
    """One line a method, side by side so that no interval hides another."""
    for number, (method, rows) in enumerate(numbers.groupby("method", sort=False)):
        ordered = rows.sort_values(along)
        line(
            axes,
            ordered[along] * 1.03 ** (number - 2),
            ordered["reduction"],
            ordered["low"],
            ordered["high"],
            number=number,
            label=str(method),
        )
