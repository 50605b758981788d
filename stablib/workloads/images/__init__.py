"""Classifiers of images: residual networks and others, one seed after the other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar, Literal, cast

from pydantic import Field

from stablib.data import Dataset, entry
from stablib.errors import UsageError
from stablib.training import Inputs, Recipe, Request, SeedPlan
from stablib.training.record import Arrays
from stablib.training.workload import Report, Taught
from stablib.workloads.images.record import Curve, Logits, Similarity, Trace, products
from stablib.workloads.text import LabelledRecipe, LabelledWorkload

__all__ = ["Curve", "ImageRecipe", "Images", "Logits", "Similarity", "Trace", "products"]

Model = Literal[
    "resnet6",
    "resnet10",
    "resnet14",
    "resnet18",
    "vgg11",
    "shufflenet",
    "linear",
    "hidden_dense",
    "hidden_convolution",
    "digit_net",
]

_NAMES: dict[Model, str] = {
    "vgg11": "VGG-11",
    "shufflenet": "ShuffleNetV2 x 0.5",
    "linear": "linear model",
    "hidden_dense": "one hidden layer",
    "hidden_convolution": "one hidden convolution",
    "digit_net": "network for digits",
}


class ImageRecipe(LabelledRecipe):
    """A classifier of images, trained by SGD with momentum.

    The defaults are those of *On Nondeterminism and Instability in Neural Network Optimization*,
    section 3.2, and of its released code.

    Parameters
    ----------
    dataset, label
        As :class:`~stablib.workloads.text.LabelledRecipe`.
    limit, n_test : int, optional
        Keep only the first training images, and the first others.
    model : str, default "resnet14"
        Architecture.
    width : int, default 512
        Units of the one hidden layer of ``"hidden_dense"``.
    side : int, optional
        Shrink square images to this side by means of areas; as they are where nothing is said.
    stride : {1, 2}, default 1
        Of the first convolution of residual networks and ShuffleNet.
    crop : int, default 4
        Pixels of zeros around a training image, of which a part of its size is cut at random; 0
        for none.
    flip : bool, default True
        Mirror every other training image, at random.
    optimizer : {"sgd", "adam"}, default "sgd"
        Adam as in torch, without momentum of this recipe.
    momentum, weight_decay, learning_rate, epochs, batch_size
        Of the optimizer; the penalty of a method is added to the decay, which is on all weights.
    warm_up : int, default 3
        Epochs in which the learning rate rises from 0, step by step. From then on it follows a
        cosine over all epochs, epoch by epoch.
    slow : float, default 0.1
        Factor of the learning rate of biases and of norms, those in shortcuts apart.
    threads : int, default 1
        Threads that compute a training: more of them add up in another order.
    device : {"cpu", "cuda"}, default "cpu"
        Train on the processor, or on an accelerator. Another device is another recipe: its last
        bits are others.
    attempt : int, default 1
        Changes nothing: another number asks for the same training once more.

    Examples
    --------
    >>> ImageRecipe(dataset="cifar10").title()
    'cifar10, ResNet-14, control'
    """

    kind: Literal["image"] = "image"
    label: str = "label"
    n_test: int | None = Field(default=None, ge=1)
    model: Model = "resnet14"
    width: int = Field(default=512, ge=1)
    side: int | None = Field(default=None, ge=4)
    stride: Literal[1, 2] = 1
    crop: int = Field(default=4, ge=0)
    flip: bool = True
    optimizer: Literal["sgd", "adam"] = "sgd"
    momentum: float = Field(default=0.9, ge=0.0, lt=1.0)
    weight_decay: float = Field(default=5e-4, ge=0.0)
    learning_rate: float = Field(default=0.4, gt=0.0)
    epochs: int = Field(default=500, ge=1)
    batch_size: int = Field(default=512, ge=1)
    warm_up: int = Field(default=3, ge=0)
    slow: float = Field(default=0.1, ge=0.0, le=1.0)
    threads: int = Field(default=1, ge=1, le=256)
    device: Literal["cpu", "cuda"] = "cpu"
    attempt: int = Field(default=1, ge=1)

    def check_method(self) -> None:
        """Refuse also a learning rate that would rise until the end."""
        super().check_method()
        if self.warm_up >= self.epochs:
            raise UsageError(
                f"warm_up must be less than the epochs, got {self.warm_up} of {self.epochs}"
            )

    @property
    def data_name(self) -> str:
        """Data set; each has one kind of label."""
        return self.dataset

    @property
    def model_name(self) -> str:
        """Architecture, and the size of its images where they are shrunk."""
        return f"{self.network} at {self.side} x {self.side}" if self.side else self.network

    @property
    def network(self) -> str:
        """Architecture."""
        name = _NAMES.get(self.model) or f"ResNet-{self.model.removeprefix('resnet')}"
        if self.model == "hidden_dense" and self.width != type(self).model_fields["width"].default:
            name += f" of {self.width}"
        return name

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of what the network sees."""
        channels, height, width = entry(self.dataset).shape or (1, 1, 1)
        return (channels, self.side, self.side) if self.side else (channels, height, width)

    def part(self, data: Dataset) -> Dataset:
        """The first examples of the data, as far as the recipe looks."""
        return data.head(self.limit, others=self.n_test)

    def schedule(self, step: int, n_steps: int) -> float:
        """Factor of the learning rate at a step, counted from 1.

        Linear from 0, then a cosine that falls after each epoch; in the released code of the
        nondeterminism paper it falls at every step.

        Examples
        --------
        >>> recipe = ImageRecipe(epochs=10, warm_up=2)
        >>> [round(recipe.schedule(step, 40), 3) for step in (1, 5, 8, 9, 40)]
        [0.0, 0.5, 0.875, 0.905, 0.024]
        """
        per_epoch = n_steps // self.epochs
        rising, done = self.warm_up * per_epoch, step - 1
        if done < rising:
            return done / rising
        return 0.5 * (1.0 + math.cos(math.pi * (done // per_epoch) / self.epochs))


class Images(LabelledWorkload):
    """Trains one classifier after the other, on one thread each.

    A seed of the source ``low_level`` decides in which order the examples of a mini-batch are
    added up: it changes nothing but rounding, as unordered kernels of an accelerator do. On an
    accelerator a plan with a seed of its own for that source lets it choose kernels by trying and
    add up in any order; else it may do neither. Such a run cannot be repeated.
    """

    name = "images"
    version = 1
    sources: ClassVar[tuple[str, ...]] = ("init", "shuffle", "augment", "low_level")
    examples = "images"

    def device(self, recipe: Recipe) -> str:
        """As the recipe says."""
        return cast(ImageRecipe, recipe).device

    def train(
        self,
        request: Request,
        inputs: Inputs,
        taught: Taught,
        *,
        report: Report,
        state: Arrays | None,
    ) -> Iterator[list[tuple[SeedPlan, list[Arrays]]]]:
        """Train each plan for itself."""
        from stablib.workloads.images.training import train_each

        return train_each(request, inputs, taught, report=report, state=state)


ImageRecipe.workload = Images()
