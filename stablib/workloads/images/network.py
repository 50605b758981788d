"""A classifier of images as the training loop wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from stablib.models.resnet import ResNet
from stablib.models.shallow import DigitNet, HiddenConvolution, HiddenDense, Linear
from stablib.models.shufflenet import ShuffleNet
from stablib.models.vgg import VGG
from stablib.training import SeedPlan, Task
from stablib.training.seeds import change_bit
from stablib.workloads.images import ImageRecipe
from stablib.workloads.images.augment import augmented
from stablib.workloads.images.device import choose_kernels

_PROCESSOR = torch.device("cpu")
#: Images that are predicted at once.
_AT_ONCE = 500

_SHALLOW: Mapping[str, Callable[..., torch.nn.Module]] = {
    "linear": Linear,
    "hidden_convolution": HiddenConvolution,
    "digit_net": DigitNet,
}


def build(
    recipe: ImageRecipe, shape: tuple[int, int, int], n_classes: int, rng: np.random.Generator
) -> torch.nn.Module:
    """Make the recipe's architecture for images of a shape (n_channels, height, width)."""
    if recipe.model == "hidden_dense":
        return HiddenDense(shape, n_classes, rng, recipe.width)
    if recipe.model in _SHALLOW:
        return _SHALLOW[recipe.model](shape, n_classes, rng)
    if recipe.model == "vgg11":
        return VGG(shape[0], n_classes, rng)
    if recipe.model == "shufflenet":
        return ShuffleNet(shape[0], n_classes, rng, stride=recipe.stride)
    n_layers = int(recipe.model.removeprefix("resnet"))
    return ResNet(n_layers, shape[0], n_classes, rng, stride=recipe.stride)


def bit_size(recipe: ImageRecipe, plan: SeedPlan, n_classes: int) -> float:
    """By how much the plan's bit moves one of the initial weights.

    Examples
    --------
    >>> from stablib.training import Bit
    >>> plan = SeedPlan(bit=Bit(tensor="decoder.weight"))
    >>> bit_size(ImageRecipe(dataset="digits", model="linear"), plan, 10) < 1e-8
    True
    """
    assert plan.bit is not None
    model = build(recipe, recipe.shape, n_classes, plan.generator("init"))
    weights = {plan.bit.tensor: model.get_parameter(plan.bit.tensor).detach().numpy()}
    before = weights[plan.bit.tensor].ravel()[plan.bit.index]
    change_bit(plan.bit, weights)
    after = weights[plan.bit.tensor].ravel()[plan.bit.index]
    return float(abs(np.float64(after) - np.float64(before)))


class ImageNetwork:
    """A classifier of images with its data and its generators.

    Parameters
    ----------
    recipe : ImageRecipe
        Architecture and augmentation.
    plan : SeedPlan
        Initial weights, augmentation and the order of additions.
    task : Task
        Images of shape (n_images, n_channels, height, width).
    goals : ndarray of float32, shape (n_train, n_classes)
        Targets.
    device : torch.device
        Where the network is, and looks at images.
    pause : callable
        Called between batches of a prediction, which may be long: the training may end there.
    """

    def __init__(
        self,
        recipe: ImageRecipe,
        plan: SeedPlan,
        task: Task,
        goals: NDArray[np.float32],
        device: torch.device = _PROCESSOR,
        *,
        pause: Callable[[], object],
    ) -> None:
        self.recipe, self.device, self.pause = recipe, device, pause
        images = task.inputs["train"]
        model = build(recipe, images.shape[1:], task.n_classes, plan.generator("init"))
        self.model = model.to(device)
        self.images = torch.from_numpy(images).to(device)
        self.goals = torch.from_numpy(goals).to(device)
        self.plan = plan
        self.sources = {name: plan.source(name) for name in ("augment", "low_level")}
        self.generators = {name: source.at(1) for name, source in self.sources.items()}

    def named(self) -> Mapping[str, torch.nn.Parameter]:
        """All parameters by name, running statistics too, of which no gradient is taken."""
        return dict(self.model.named_parameters())

    def start_epoch(self, epoch: int) -> None:
        """Let the seeds rule that rule in this epoch."""
        self.generators = {name: source.at(epoch) for name, source in self.sources.items()}
        own = self.plan.seed("low_level") != self.plan.base
        choose_kernels(self.device, free=own and epoch >= self.plan.starts("low_level"))

    def loss(self, rows: NDArray[np.integer]) -> Tensor:
        """Mean cross-entropy of a mini-batch of augmented images."""
        recipe = self.recipe
        images = self.images[torch.from_numpy(rows)]
        if recipe.crop or recipe.flip:
            rng = self.generators["augment"]
            images = augmented(images, crop=recipe.crop, flip=recipe.flip, rng=rng)
        goals = self.goals[torch.from_numpy(rows)]
        if self.device == _PROCESSOR:  # The same images, added up in another order.
            order = torch.from_numpy(self.generators["low_level"].permutation(len(rows)))
            images, goals = images[order], goals[order]
        self.model.train()
        return functional.cross_entropy(self.model(_laid_out(images)), goals)

    def logits(self, inputs: NDArray[np.float32]) -> Tensor:
        """Logits of images, shape (n_images, n_classes)."""
        return torch.cat([self.model(images).cpu() for images in self._batches(inputs)])

    def layers(self, inputs: NDArray[np.float32]) -> dict[str, Tensor]:
        """States of each layer, shape (n_images, n_features); the logits alone without layers."""
        found: dict[str, list[Tensor]] = {}
        for images in self._batches(inputs):
            model = self.model
            states = (
                model.layers(images) if isinstance(model, ResNet) else {"logits": model(images)}
            )
            for name, state in states.items():
                found.setdefault(name, []).append(state.flatten(1).cpu())
        return {name: torch.cat(states) for name, states in found.items()}

    def randomness(self) -> Any:
        """States of the generators."""
        return {name: rng.bit_generator.state for name, rng in self.generators.items()}

    def set_randomness(self, state: Any) -> None:
        """Go on from what :meth:`randomness` said."""
        for name, own in state.items():
            self.generators[name].bit_generator.state = own

    def _batches(self, inputs: NDArray[np.float32]) -> Iterator[Tensor]:
        """Images to predict, some at a time."""
        self.model.eval()
        for start in range(0, len(inputs), _AT_ONCE):
            yield _laid_out(torch.from_numpy(inputs[start : start + _AT_ONCE]).to(self.device))
            self.pause()


def _laid_out(images: Tensor) -> Tensor:
    """Let the channels of a pixel lie side by side: convolutions are faster so."""
    return images.contiguous(memory_format=torch.channels_last)
