"""Data, ratings and what vectors know (section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from stablib.data import Interactions
from stablib.metrics import Interval
from stablib.show.exhibit import Exhibit, counted, left_out, record, with_interval
from stablib.show.recommender.comparison import answer, mean_of, named
from stablib.show.style import PALETTE, figure
from stablib.studies.recommender import DEEPICF, GMF, Results

NO_DATA = "the data are not at hand, and what their licence lets be published does not have it"

#: Genres that the thesis shows, for each model.
_GENRES = {DEEPICF: ("Horror", "Action"), GMF: ("Horror", "Children's")}
#: Nearest neighbours that are looked at.
_NEAREST = 10
#: From this age on users are marked (thesis, Figure 3.2).
_OLD = 56
#: Seed of the projections of t-SNE, whose result depends on it.
_SEED = 0
#: Steps of t-SNE, which begins with 250 in which it pulls clusters together.
_STEPS = 400
#: Ages of users by decades, where years are known and not groups.
_DECADE = 10
#: So many kinds of ages or fewer are groups as they are.
_FEW = 10


def statistics(results: Results) -> Exhibit:
    """Counts of the data (TH-T3.1)."""
    data = results.interactions
    if data is None:
        return left_out("TH-T3.1", NO_DATA)
    held_out = data.candidates[:, 0]
    every = len(data.history) + data.n_users
    rows = {
        "full": (every, data.n_users, data.n_items),
        "histories (train)": (len(data.history), data.n_users, len(np.unique(data.history))),
        "held out (test)": (data.n_users, data.n_users, len(np.unique(held_out))),
    }
    table = pd.DataFrame.from_dict(
        {name: [f"{n:,}" for n in counts] for name, counts in rows.items()},
        orient="index",
        columns=["interactions", "users", "items"],
    )
    missing = int((data.candidates < 0).sum())
    claims = {
        "t31-interactions": every,
        "t31-train": len(data.history),
        "t31-users": data.n_users,
        "t31-items": data.n_items,
        "t31-train-items": len(np.unique(data.history)),
        "t31-test-items": len(np.unique(held_out)),
    }
    measured = [m for name, n in claims.items() for m in counted(results.study.claims(), name, n)]
    return record(
        "TH-T3.1",
        table,
        made_by=statistics,
        results=[results],
        caption="Interactions, users and items; one item a user is held out for the test.",
        finding=(
            f"Of {missing:,} of the {data.n_users:,} users the item held out is among their own "
            "negatives, as the files give them, and is left out there."
            if missing
            else ""
        ),
        measured=measured,
    )


def ratings(results: Sequence[Results]) -> Exhibit:
    """How often each rating is given (TH-F3.5)."""
    known = [r for r in results if r.interactions is not None]
    if not known:
        return left_out("TH-F3.5", NO_DATA)
    frames, measured, said, most = [], [], [], []
    with figure(width=4.0 * len(known) + 0.5, height=3.4, columns=len(known), sharey=False) as made:
        for axes, each in zip(made.axes, known, strict=True):
            data = each.interactions
            assert data is not None
            given = data.ratings[data.ratings > 0]
            counts = np.bincount(given, minlength=6)[1:]
            axes.bar(np.arange(1, 6), counts, color=PALETTE[0])
            axes.set(xlabel="rating", ylabel="ratings in the histories", title=named(each))
            most.append(f"{1 + counts.argmax()} on {named(each)}")
            share = 100.0 * len(given) / len(data.ratings)
            mean = float(given.mean()) if len(given) else float("nan")
            frames.append(
                pd.DataFrame(
                    {"data": data.name, "rating": np.arange(1, 6), "count": counts, "mean": mean}
                )
            )
            if len(given) < len(data.ratings):  # Which are not known is no accident.
                said.append(f"{mean:.2f} on {named(each)}, of the {share:.0f} % that are known")
            else:
                said.append(f"{mean:.2f} on {named(each)}")
                measured += answer("f35-mean", (mean, Interval(mean, mean)), variant=named(each))
        return record(
            "TH-F3.5",
            made,
            made_by=ratings,
            results=known,
            numbers=pd.concat(frames, ignore_index=True),
            alt=f"Bars: how often each rating from 1 to 5 is given; most often {', '.join(most)}.",
            caption=(
                "Frequency of the ratings that are known. Three outputs call 1 and 2 disliked. "
                "Only data of which every rating is known can answer the thesis's claim."
            ),
            finding=f"The mean rating is {', and '.join(said)}; the middle of the scale is 3.",
            measured=measured,
        )


def item_vectors(results: Results) -> Exhibit:
    """Vectors of items in two dimensions, by genre (TH-F3.1)."""
    data = results.interactions
    if data is None or not data.genres:
        return left_out("TH-F3.1", NO_DATA)
    frames, measured, said = [], [], []
    ways = {DEEPICF: ("targets", _principal, "PCA"), GMF: ("factor_items", _neighbours, "t-SNE")}
    with figure(width=9.6, height=4.4, columns=2, sharey=False) as made:
        for axes, (model, (name, project, way)) in zip(made.axes, ways.items(), strict=True):
            vectors = results.runs[model][name][0]
            places = project(vectors)
            shown = _genres_of(data, _GENRES[model])
            _scatter(axes, places, shown)
            axes.set(title=f"{model}, {way}", xlabel="first dimension", ylabel="second dimension")
            near = _nearest(vectors)
            # Which film has which genre is not ours to give out: of each genre a row, not a film.
            frames.append(
                pd.DataFrame(
                    [
                        {
                            "model": model,
                            "genre": genre,
                            "films": int(of.sum()),
                            "of all (%)": 100.0 * of.mean(),
                            "among the nearest (%)": 100.0 * of[near[of]].mean(),
                        }
                        for genre, of in shown.items()
                    ]
                )
            )
            horror = next(iter(shown.values()))
            extra = 100.0 * (horror[near[horror]].mean(axis=1) - horror.mean())
            value = mean_of(extra)
            measured += answer("f31-grouped", value, variant=f"{model}, one run; over films")
            said.append(f"{value[0]:.0f} points with {model}")
        return record(
            "TH-F3.1",
            made,
            made_by=item_vectors,
            results=[results],
            numbers=pd.concat(frames, ignore_index=True),
            alt="A cloud of items for each model; those of two genres are marked.",
            caption=(
                "Vectors of the items of one run in two dimensions; two genres are marked. Nearest "
                "neighbours are looked for in all dimensions; the interval is over films."
            ),
            finding=(
                f"Among the {_NEAREST} nearest items of a horror film the share of horror films is "
                f"above that of all films by {' and '.join(said)}, though no model is told genres."
            ),
            measured=measured,
        )


def user_vectors(results: Results) -> Exhibit:
    """Vectors of users in two dimensions, by age (TH-F3.2)."""
    data = results.interactions
    if data is None or data.ages.max(initial=-1) < 0:
        return left_out("TH-F3.2", NO_DATA)
    vectors, old = results.runs[GMF]["factor_users"][0], data.ages >= _OLD
    places, near = _neighbours(vectors), _nearest(vectors)
    value, interval = mean_of(100.0 * old[near[old]].mean(axis=1))
    with figure(width=5.6, height=4.6) as made:
        (axes,) = made.axes
        _scatter(axes, places, {f"{_OLD} and older": old})
        axes.set(xlabel="first dimension", ylabel="second dimension")
        return record(
            "TH-F3.2",
            made,
            made_by=user_vectors,
            results=[results.only(GMF)],
            # Whose age is what is not ours to give out.
            numbers=pd.DataFrame({"users": ["all", "marked"], "count": [len(old), old.sum()]}),
            alt="A cloud of users; those of 56 and older are marked.",
            caption=(
                f"Vectors of the users of one run of GMF (t-SNE); {_OLD} and older are marked. "
                "Nearest users are looked for in all dimensions; the interval is over users."
            ),
            finding=(
                f"Of the {_NEAREST} nearest users of one who is {_OLD} or older, "
                f"{with_interval(value, interval, 0)} % are too; of all users "
                f"{100.0 * old.mean():.0f} %."
            ),
        )


def neighbours(results: Results) -> Exhibit:
    """Users of the same age among the nearest, against chance (TH-F3.3)."""
    data = results.interactions
    if data is None or data.ages.max(initial=-1) < 0:
        return left_out("TH-F3.3", NO_DATA)
    groups = _groups(data.ages)
    vectors = results.runs[GMF]["factor_users"][0]
    near = _nearest(vectors)
    same = (groups[near] == groups[:, None]).mean(axis=1)
    counts = {g: int((groups == g).sum()) for g in np.unique(groups)}
    base = np.array([(counts[g] - 1) / (len(groups) - 1) for g in groups])
    rows = [
        {
            "age": _age_name(g, data.ages),
            "users": n,
            "among the nearest (%)": 100.0 * same[groups == g].mean(),
            "of all others (%)": 100.0 * base[groups == g].mean(),
        }
        for g, n in counts.items()
    ]
    frame = pd.DataFrame(rows)
    extra = mean_of(100.0 * (same - base))
    with figure(width=6.4, height=3.6) as made:
        (axes,) = made.axes
        where = np.arange(len(frame))
        axes.bar(
            where - 0.2, frame["among the nearest (%)"], 0.4, color=PALETTE[0], label="nearest"
        )
        axes.bar(where + 0.2, frame["of all others (%)"], 0.4, color=PALETTE[1], label="all others")
        axes.set_xticks(where, frame["age"])
        axes.set(xlabel="age group", ylabel="of the same age group (%)")
        axes.legend()
        return record(
            "TH-F3.3",
            made,
            made_by=neighbours,
            results=[results.only(GMF)],
            numbers=frame,
            alt="Two bars an age group: its share among the nearest users, and among all others.",
            caption=(
                f"Share of users of the same age group among the {_NEAREST} nearest, by the "
                "Euclidean distance of their vectors (one run of GMF), and among all others."
            ),
            finding=(
                f"Of a user's {_NEAREST} nearest {100.0 * same.mean():.1f} % are of the same age "
                f"group, where chance gives {100.0 * base.mean():.1f}."
            ),
            measured=answer("f33-grouped", extra, variant="one run; over users"),
        )


def _genres_of(data: Interactions, names: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """Which items have some genres; of data without them the first two that there are."""
    known = sorted({genre for of in data.genres for genre in of})
    chosen = [n for n in names if n in known] or known[:2]
    return {g: np.array([g in of for of in data.genres]) for g in chosen}


def _scatter(
    axes: Axes, places: NDArray[np.floating], marked: dict[str, NDArray[np.bool_]]
) -> None:
    rest = ~np.logical_or.reduce(list(marked.values()))
    x, y = places.T
    axes.scatter(x[rest], y[rest], s=4, color="#88888866", linewidths=0, rasterized=True)
    for number, (name, mask) in enumerate(marked.items()):
        axes.scatter(
            x[mask],
            y[mask],
            s=14,
            marker="o^"[number % 2],
            color=PALETTE[(3, 0)[number % 2]],
            linewidths=0,
            label=name,
            rasterized=True,
        )
    axes.legend(loc="best", markerscale=1.5)


def _principal(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    from sklearn.decomposition import PCA

    found: NDArray[np.floating] = PCA(2, random_state=_SEED).fit_transform(vectors)
    return found


def _neighbours(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(vectors) - 1) / 3.0)
    way = TSNE(2, random_state=_SEED, perplexity=perplexity, init="pca", max_iter=_STEPS)
    found: NDArray[np.floating] = way.fit_transform(vectors.astype(np.float64))
    return found


def _nearest(vectors: NDArray[np.floating]) -> NDArray[np.intp]:
    """The nearest others of each by Euclidean distance, shape (n_vectors, n_nearest)."""
    from scipy.spatial import KDTree

    count = min(_NEAREST, len(vectors) - 1)
    found = KDTree(vectors).query(vectors, k=count + 1)[1]
    rows = np.arange(len(vectors))[:, None]
    # A vector is its own nearest; of equal ones another may come first.
    own = np.argsort(found != rows, axis=1, kind="stable")
    return np.asarray(np.take_along_axis(found, own, axis=1)[:, 1:])


def _groups(ages: NDArray[np.integer]) -> NDArray[np.integer]:
    """Age groups as they are given, or decades of years."""
    few = len(np.unique(ages)) <= _FEW
    return ages if few else np.minimum(ages // _DECADE, 6) * _DECADE


def _age_name(group: int, ages: NDArray[np.integer]) -> str:
    """Years of a group, of which the next one begins where it ends."""
    groups = sorted(np.unique(_groups(ages)))
    if group == groups[-1]:
        return f"{group}+"
    end = groups[groups.index(group) + 1] - 1
    return f"under {end + 1}" if group <= 1 else f"{group}\u2013{end}"
