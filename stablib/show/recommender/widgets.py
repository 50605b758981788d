"""Widgets of chapter 3, from results."""

from __future__ import annotations

from typing import cast

from stablib.show import widgets
from stablib.show.exhibit import picture
from stablib.show.widgets.hosted import HostedWidget
from stablib.studies.recommender import Results
from stablib.workloads import ItemRecipe

#: First users that can be looked at.
_USERS = 40


def why_this_film(results: Results) -> HostedWidget:
    """Look at the attention of runs on generated choices, and take it away from them."""
    runs, data = results.runs["weights"], results.interactions
    assert data is not None  # It is generated.
    return widgets.why_this_film(
        {
            f"seed {plan.base}": {name: runs[name][number] for name in runs.names}
            for number, plan in enumerate(runs.plans)
        },
        histories=[data.items_of(user) for user in range(min(_USERS, data.n_users))],
        candidates=[row[row >= 0] for row in data.candidates[:_USERS]],
        titles=data.titles,
        beta=cast(ItemRecipe, runs.recipe).beta,
        name="why-this-film",
        picture=picture("TH-X6"),
    )
