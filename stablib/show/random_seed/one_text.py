"""One text: what runs attend to in it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stablib.data import entry
from stablib.data.texts import BETWEEN
from stablib.metrics import (
    Interval,
    centred_interval,
    pairwise_relative_entropy,
    resampled_sd,
    sd_over_runs,
)
from stablib.show.exhibit import Exhibit, record, with_interval
from stablib.show.random_seed.comparison import answer, percent_below, resamples_of, said
from stablib.show.style import PALETTE, figure
from stablib.studies.random_seed import ASWA_TEXT, NASWA_TEXT, NULL, PLAIN, Results, Variant


def two_seeds(results: Results) -> Exhibit:
    """What two runs attend to in the text on which they differ most (RS-F1)."""
    both = [weights[:2] for weights in results.attention[PLAIN]]
    differ = np.array([pairwise_relative_entropy(weights).sum() for weights in both])
    agree = ((results.scores[PLAIN][:2, results.places] > 0.5) == results.gold[results.places]).all(
        0
    )
    chosen = int(np.where(agree, differ, -1.0).argmax())
    weights, place = both[chosen], int(results.places[chosen])
    tokens = tokens_of(results, place, weights.shape[1])
    scores = results.scores[PLAIN][:2, place]
    rows = np.arange(len(tokens))
    with figure(width=6.0, height=0.28 * len(tokens) + 1.4) as made:
        axes = made.axes[0]
        for number, (run, score) in enumerate(zip(weights, scores, strict=True)):
            axes.barh(
                rows + 0.4 * number - 0.2,
                run,
                height=0.38,
                color=PALETTE[number],
                label=f"seed {results.runs[PLAIN].plans[number].base}: p = {score:.2f}",
            )
        axes.set(yticks=rows, yticklabels=tokens, xlabel="attention")
        axes.invert_yaxis()
        axes.legend()
        top = [tokens[int(run.argmax())] for run in weights]
        return record(
            "RS-F1",
            made,
            made_by=two_seeds,
            results=[results],
            numbers=pd.DataFrame({"token": tokens, "first": weights[0], "second": weights[1]}),
            alt=f"Bars of attention to each token by two seeds. Highest: {top[0]} and {top[1]}.",
            finding=f"One run attends most to '{top[0]}', the other to '{top[1]}'.",
            caption=(
                "Attention of two plain runs that differ by their seed alone, to the text, of "
                "those with attention whose label both get right, on which they differ most "
                f"({results.title}, test text {place})."
            ),
        )


def attention_sd(results: Results) -> Exhibit:
    """Spread of the attention to each word of one text, by method (TH-F4.19)."""
    variants = (PLAIN, ASWA_TEXT, NASWA_TEXT)
    spreads = [sd_over_runs(weights) for weights in results.attention[PLAIN]]
    chosen = int(np.argmax([spread.max() for spread in spreads]))
    place, word = int(results.places[chosen]), int(spreads[chosen].argmax())
    tokens = tokens_of(results, place, len(spreads[chosen]))
    shares = {v: results.attention[v][chosen] for v in (*variants, NULL)}
    draws = {v: resampled_sd(each, resamples_of(v, len(each))) for v, each in shares.items()}
    sds = {v: sd_over_runs(each) for v, each in shares.items()}

    def lower(variant: Variant, words: NDArray[np.integer]) -> tuple[float, Interval]:
        """By how many percent the mean sd of some words is below plain training's."""
        mean, replicates = (
            percent_below(
                of[variant][..., words].mean(axis=-1), of[PLAIN][..., words].mean(axis=-1)
            )
            for of in (sds, draws)
        )
        return float(mean), centred_interval(float(mean), replicates)

    every = np.arange(len(tokens))
    steadier = (ASWA_TEXT, NASWA_TEXT, NULL)
    less, less_of_rest, less_of_all = (
        {variant: lower(variant, words) for variant in steadier}
        for words in (np.array([word]), np.delete(every, word), every)
    )
    with figure(width=6.0, height=0.36 * len(tokens) + 1.6) as made:
        axes = made.axes[0]
        rows = np.arange(len(tokens))
        for number, variant in enumerate(variants):
            axes.barh(
                rows + 0.27 * (number - 1),
                sds[variant],
                height=0.25,
                color=PALETTE[number],
                label=variant.title,
            )
        axes.set(yticks=rows, yticklabels=tokens, xlabel="sd of attention over runs (ddof 0)")
        axes.invert_yaxis()
        axes.legend()
        finding, of_rest = (
            "; ".join(f"{v.title} {with_interval(*found, 0)} %" for v, found in part.items())
            for part in (less, less_of_rest)
        )
        return record(
            "TH-F4.19",
            made,
            made_by=attention_sd,
            results=[results],
            numbers=pd.DataFrame({"token": tokens} | {v.title: sds[v] for v in variants}),
            measured=[
                measured
                for variant, name, found in (
                    (ASWA_TEXT, "aswa-reduction", less),
                    (ASWA_TEXT, "aswa-rest", less_of_rest),
                    (NASWA_TEXT, "naswa-words", less_of_all),
                )
                for measured in answer(
                    f"f4.19-{results.claimed_as}-{name}",
                    found[variant],
                    variant=said(results, variant),
                    null=found[NULL][0],
                )
            ],
            finding=(
                f"The sd of attention to '{tokens[word]}' is {sds[PLAIN][word]:.2f} with plain "
                f"training; lower by: {finding}. That of the other words is lower on average by: "
                f"{of_rest}."
            ),
            alt=f"Bars of the sd of attention to each token by method. {finding}",
            caption=(
                "Standard deviation over runs of the attention to each token of the text with the "
                "token whose attention varies most over plain runs. What was chosen because it "
                f"varies most varies less with any other seeds, as '{NULL.title}' shows "
                f"({results.title}, test text {place})."
            ),
        )


def tokens_of(results: Results, place: int, n_tokens: int) -> list[str]:
    """Words of a text, or their places where it is not at hand or may not be shown."""
    text = results.dataset.texts["test"][place] if results.dataset.texts else ""
    words = text.partition(BETWEEN)[0].split()
    most = entry(results.dataset.name).quoted
    if len(words) != n_tokens or (most is not None and len(words) > most):
        return [f"token {number}" for number in range(1, n_tokens + 1)]
    return words
