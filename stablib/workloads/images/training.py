"""Train classifiers of images, one seed at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from stablib.data import ImageDataset, entry
from stablib.data.images import area_mean, fitted
from stablib.errors import DataError
from stablib.training import Inputs, Request, SeedPlan, Task
from stablib.training.record import Arrays
from stablib.training.threads import one_thread, threads
from stablib.training.workload import Report, Taught
from stablib.workloads.images import ImageRecipe
from stablib.workloads.images.device import device_of, kernels
from stablib.workloads.images.network import ImageNetwork
from stablib.workloads.one_run import train_run
from stablib.workloads.teaching import targets
from stablib.workloads.text import check_records


def train_each(
    request: Request,
    inputs: Inputs,
    taught: Taught,
    *,
    report: Report,
    state: Arrays | None,
) -> Iterator[list[tuple[SeedPlan, list[Arrays]]]]:
    """Train the plans of a request one after the other.

    Each run uses one thread, so that its bits do not depend on how many run beside it, or as many
    as its recipe says.
    """
    recipe = cast(ImageRecipe, request.recipe)
    device = device_of(recipe.device)
    name = f"images at {recipe.side}, first {recipe.limit} and {recipe.n_test}"
    with one_thread():
        task = inputs.once(name, lambda: prepare(recipe, cast(ImageDataset, inputs.data)))
        check_records(request.records, recipe.steps(task.sizes["train"]))
        for plan in request.plans:
            (goals,) = targets(recipe.method, [plan], task, taught)
            with threads(recipe.threads), kernels(device):
                network = ImageNetwork(recipe, plan, task, goals, device, pause=lambda: report(0))
                arrays = train_run(
                    network,
                    optimizer(recipe, network),
                    request,
                    plan,
                    task,
                    report=report,
                    state=state,
                    schedule=recipe.schedule,
                )
            yield [(plan, arrays)]


def prepare(recipe: ImageRecipe, dataset: ImageDataset) -> Task:
    """Decode the images that the recipe looks at, and scale them.

    Parameters
    ----------
    recipe : ImageRecipe
        Says which images, and of which size.
    dataset : ImageDataset
        With images.

    Returns
    -------
    Task
        Images of shape (n_images, n_channels, height, width); each channel has a mean of 0 and an
        sd of 1 over the training images.

    Raises
    ------
    DataError
        If the data set's images have another shape than it is known to have.
    UsageError
        If the images cannot be shrunk to the recipe's side.
    """
    data = cast(ImageDataset, recipe.part(dataset))
    pixels = {split: data.pixels(split) for split in data.gold}
    expected = entry(recipe.dataset).shape
    if expected is not None and data.name != recipe.dataset:  # What stands in has another shape.
        pixels = {split: fitted(images, expected) for split, images in pixels.items()}
    found = np.transpose(pixels["train"], (0, 3, 1, 2)).shape[1:]
    if expected is not None and found != expected:
        raise DataError(
            f"images of {recipe.dataset} must have shape {expected}, of channels, height and "
            f"width, got {found} from {data.source}"
        )
    side = recipe.side or pixels["train"].shape[1]
    small = {split: area_mean(images, side) for split, images in pixels.items()}
    mean = small["train"].mean(axis=(0, 1, 2), dtype=np.float64)
    sd = small["train"].std(axis=(0, 1, 2), dtype=np.float64)
    scaled = {s: _scaled(images, mean, sd) for s, images in small.items()}
    return Task(inputs=scaled, gold=data.gold, n_classes=data.n_classes)


def _scaled(
    images: NDArray[np.float32], mean: NDArray[np.float64], sd: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Scale the channels, and put them before the rows."""
    scaled = (images - mean.astype(np.float32)) / np.maximum(sd, 1e-6).astype(np.float32)
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))


def optimizer(recipe: ImageRecipe, network: ImageNetwork) -> torch.optim.SGD | torch.optim.Adam:
    """Make the optimizer; biases and norms learn more slowly."""
    groups: dict[bool, list[torch.nn.Parameter]] = {False: [], True: []}
    for name, parameter in network.named().items():
        if parameter.requires_grad:
            fast = parameter.ndim > 1 or name.endswith("shortcut.weight")
            groups[fast].append(parameter)
    rates = {True: recipe.learning_rate, False: recipe.learning_rate * recipe.slow}
    parameters = [{"params": found, "lr": rates[fast]} for fast, found in groups.items() if found]
    decay = recipe.weight_decay + recipe.method.decay
    if recipe.optimizer == "adam":
        return torch.optim.Adam(parameters, weight_decay=decay, fused=True)
    return torch.optim.SGD(parameters, momentum=recipe.momentum, weight_decay=decay, fused=True)
