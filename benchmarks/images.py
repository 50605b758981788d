"""Images a second of small residual networks that train side by side, against one at a time.

And of one that keeps the memory it frees, as processes that train do, against one that does not.

No claim: what comes out depends on the machine. On an accelerator a network of the paper's size
leaves most of it idle, so that many processes share one; on a processor there is a core for each.
Run it there before `stablib train nondeterminism --preset paper --jobs N`, to choose N:

    python benchmarks/images.py cuda --model resnet14 --jobs 1 2 4 8 16
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable

import numpy as np
from side_by_side import seconds_together

from stablib.data import ImageDataset
from stablib.training import Inputs, Request, keep_freed_memory, seed_plans
from stablib.workloads import ImageRecipe, Logits
from stablib.workloads.images.device import device_of


def make_inputs(n_images: int) -> Inputs:
    """Random images of the size of CIFAR-10; 10 to test on, as the benchmark is of training."""
    rng = np.random.default_rng(0)
    sizes = {"train": n_images, "test": 10}
    data = ImageDataset(
        name="random",
        label="class",
        label_names=tuple(map(str, range(10))),
        texts=None,
        gold={split: rng.integers(10, size=n) for split, n in sizes.items()},
        ids={split: tuple(map(str, range(n))) for split, n in sizes.items()},
        content_hash="random",
        source="random",
        images={
            split: list(rng.integers(256, size=(n, 32, 32, 3), dtype=np.uint8))
            for split, n in sizes.items()
        },
    )
    return Inputs(key="random", source="random", data=data)


def train(recipe: ImageRecipe, inputs: Inputs) -> None:
    request = Request(recipe, seed_plans(1), (Logits(n_logits=1),))
    list(
        recipe.workload.train(
            request, inputs, lambda _: None, report=lambda done, state=None: None, state=None
        )
    )


def prepare(recipe: ImageRecipe, n_images: int, keeps: bool) -> Callable[[], object]:
    if keeps:
        keep_freed_memory()
    inputs = make_inputs(n_images)
    train(recipe.model_copy(update={"epochs": 2}), inputs)  # Now the images are at hand.
    return functools.partial(train, recipe, inputs)


def images_a_second(
    recipe: ImageRecipe, n_images: int, n_jobs: int, *, keeps: bool = True
) -> float:
    """Of all processes together."""
    took = seconds_together(prepare, (recipe, n_images, keeps), n_jobs)
    return n_jobs * recipe.epochs * n_images / took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("device", choices=("cpu", "cuda"))
    parser.add_argument("--model", default="resnet14", help="as in ImageRecipe")
    parser.add_argument("--images", type=int, default=50_000, help="training images of an epoch")
    parser.add_argument("--epochs", type=int, default=4, help="that are timed")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2], help="processes to try")
    given = parser.parse_args()
    recipe = ImageRecipe(
        dataset="cifar10", model=given.model, device=given.device, epochs=given.epochs, warm_up=1
    )
    device_of(recipe.device)  # An error here, and not in each process.
    alone = images_a_second(recipe, given.images, 1)
    giving = images_a_second(recipe, given.images, 1, keeps=False)
    print(f"memory that is kept: {alone / giving:.2f}x as fast as memory that is given back")
    print(f"{recipe.model_name} on {given.device}, one at a time: {alone:,.0f} images a second")
    for n_jobs in given.jobs:
        rate = images_a_second(recipe, given.images, n_jobs)
        print(f"  {n_jobs} side by side: {rate:,.0f} images a second, {rate / alone:.2f}x")


if __name__ == "__main__":
    main()
