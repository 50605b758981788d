"""Names of the papers' data sets, as they stand in print."""

from __future__ import annotations

#: Data sets whose names are not those of the registry in capitals.
_DATASETS = {
    "agnews": "AG News",
    "adr": "ADR tweets",
    "anemia": "Anemia",
    "cifar10": "CIFAR-10",
    "diabetes": "Diabetes",
    "movielens-1m": "MovieLens-1M",
    "movielens-100k": "MovieLens-100K",
}


def named(dataset: str) -> str:
    """Write the name of a data set of the papers.

    Examples
    --------
    >>> named("massive"), named("cifar10")
    ('MASSIVE', 'CIFAR-10')
    """
    return _DATASETS.get(dataset, dataset.upper())
