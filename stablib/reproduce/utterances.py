"""Make the utterances on which networks train in the page, from MASSIVE and a pretrained encoder.

``python -m stablib.reproduce.utterances`` compares what it makes with what the package has;
``python -m stablib.reproduce.utterances --write`` replaces it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.decomposition import PCA

from stablib.atomic import replacing
from stablib.data import load
from stablib.data.registry import cache_folder
from stablib.errors import StablibError
from stablib.models import encoders
from stablib.models.features import features
from stablib.show.widgets.hosted import encode_array

#: Utterances, drawn with this seed; the seed is no parameter, as there is one file.
N_TRAIN, N_TEST, SEED = 1200, 400, 0
#: Principal components of the features, each in a byte.
N_COMPONENTS = 32
#: The test utterance that is shown first.
_SHOWN = "can you contact samsung and say my washer is on fire"
#: Largest feature: such that a small network learns well at the usual learning rates.
_LONGEST = 8.0


def make() -> dict[str, Any]:
    """Draw utterances and compress their features.

    Returns
    -------
    dict
        ``label_names``; of ``train`` and ``test`` the ``labels`` and ``features``, as
        :func:`~stablib.show.widgets.hosted.encode_array` writes them, a feature being
        ``scale * (byte - 128)``; the ``texts`` of the test, and which
        ``example`` is shown first; ``source``.
    """
    data = load("massive", strict=True)
    assert data.texts is not None
    rng = np.random.default_rng(SEED)
    encoder, cache = encoders.find("all-MiniLM-L6-v2"), cache_folder() / "features"
    vectors, labels, texts = {}, {}, {}
    for split, count in (("train", N_TRAIN), ("test", N_TEST)):
        rows = np.sort(rng.permutation(len(data.gold[split]))[:count])
        texts[split] = [data.texts[split][row] for row in rows]
        labels[split] = data.gold[split][rows].astype(np.uint8)
        vectors[split] = features(encoder, texts[split], cache=cache, pause=lambda: None)
    components = PCA(N_COMPONENTS, svd_solver="full").fit(vectors["train"])
    small = {split: components.transform(of) for split, of in vectors.items()}
    # Signs of components are arbitrary, and differ between libraries.
    largest = np.abs(components.components_).argmax(axis=1)
    signs = np.sign(components.components_[np.arange(N_COMPONENTS), largest])
    unit = max(np.abs(of).max() for of in small.values()) / 127.0
    return {
        "label_names": list(data.label_names),
        "scale": _LONGEST / 127.0,
        **{
            split: {
                "labels": encode_array(labels[split]),
                "features": encode_array(np.round(of * signs / unit + 128.0).astype(np.uint8)),
            }
            for split, of in small.items()
        },
        "texts": texts["test"],
        "example": texts["test"].index(_SHOWN),
        "source": "MASSIVE 1.0, en-US (FitzGerald et al. 2022, CC BY 4.0): features of "
        f"all-MiniLM-L6-v2, {N_COMPONENTS} principal components in a byte each",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, and write if asked; the exit status is 0 if the package has what it should.

    Parameters
    ----------
    arguments : sequence of str, optional
        Of the command line; those of the process by default.
    """
    parser = argparse.ArgumentParser(prog="python -m stablib.reproduce.utterances")
    parser.add_argument("--write", action="store_true", help="replace the file")
    write = parser.parse_args(arguments).write
    path = Path(str(files("stablib.show.widgets").joinpath("utterances.json")))
    try:
        text = json.dumps(make(), ensure_ascii=False, indent=0) + "\n"
    except StablibError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    same = path.is_file() and path.read_text("utf-8") == text
    if not same and write:
        with replacing(path) as new:
            new.write_text(text, "utf-8")
    print(f"{path.name}: {'the same' if same else 'written' if write else 'differs'}")
    return 0 if same or write else 1


if __name__ == "__main__":
    sys.exit(main())
