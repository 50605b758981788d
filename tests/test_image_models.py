"""Architectures for images: the numbers of parameters that are known, and torch as the oracle."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from stablib.mitigation import Snapshot, TestTime
from stablib.models.drawing import convolution
from stablib.models.norm import BatchNorm
from stablib.models.resnet import Block, ResNet
from stablib.models.shallow import DigitNet, HiddenConvolution, HiddenDense, Linear
from stablib.models.shufflenet import ShuffleNet
from stablib.models.vgg import VGG
from stablib.workloads.images.augment import augmented

CIFAR = (3, 32, 32)
MAKE: dict[str, tuple[Callable[[np.random.Generator], torch.nn.Module], int]] = {
    # The released code's, as the nondeterminism paper uses them.
    "resnet6": (lambda rng: ResNet(6, 3, 10, rng), 9_978),
    "resnet10": (lambda rng: ResNet(10, 3, 10, rng), 42_682),
    "resnet14": (lambda rng: ResNet(14, 3, 10, rng), 172_602),
    "resnet18": (lambda rng: ResNet(18, 3, 10, rng), 11_001_034),
    "linear": (lambda rng: Linear(CIFAR, 10, rng), 30_730),
    "hidden_dense": (lambda rng: HiddenDense(CIFAR, 10, rng), 1_578_506),
    "hidden_convolution": (lambda rng: HiddenConvolution(CIFAR, 10, rng), 168_714),
    # torchvision's shufflenet_v2_x0_5 with its thousand classes.
    "shufflenet": (lambda rng: ShuffleNet(3, 1000, rng), 1_366_792),
    # torch's example for MNIST, and the usual VGG-11 for CIFAR-10.
    "digit_net": (lambda rng: DigitNet((1, 28, 28), 10, rng), 1_199_882),
    "vgg11": (lambda rng: VGG(3, 10, rng), 9_231_114),
}


@pytest.mark.parametrize("name", MAKE)
def test_the_number_of_parameters_is_the_known_one(name: str) -> None:
    make, expected = MAKE[name]
    model = make(np.random.default_rng(0))
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == expected


@pytest.mark.parametrize("name", MAKE)
def test_initial_weights_come_from_the_generator_alone(name: str) -> None:
    make, _ = MAKE[name]
    before = torch.get_rng_state()
    one, same, other = (make(np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    for a, b in zip(one.parameters(), same.parameters(), strict=True):
        assert torch.equal(a, b)
    assert any(
        not torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True)
    )


def test_weights_of_convolutions_have_the_variance_of_fan_out() -> None:
    weight = convolution(64, 128, 3, np.random.default_rng(0)).weight.detach()
    assert float(weight.std()) == pytest.approx((2 / (128 * 9)) ** 0.5, rel=0.01)


def test_batch_norm_is_that_of_torch() -> None:
    """Outputs, gradients and what runs along, over a few batches; and after them in evaluation."""
    ours, theirs = BatchNorm(3), torch.nn.BatchNorm2d(3)
    for _ in range(3):
        images = torch.randn(5, 3, 4, 4) * 2.0 + 1.0
        one, other = ours(images), theirs(images)
        torch.testing.assert_close(one, other)
        (one**2).sum().backward()
        (other**2).sum().backward()
        torch.testing.assert_close(ours.weight.grad, theirs.weight.grad)
    torch.testing.assert_close(ours.running_mean.data, theirs.running_mean)
    torch.testing.assert_close(ours.running_var.data, theirs.running_var)
    ours.eval()
    theirs.eval()
    torch.testing.assert_close(ours(images), theirs(images))
    assert ours.running_mean.grad is None


@pytest.mark.parametrize("side", [8, 7])
def test_a_block_begins_as_its_shortcut(side: int) -> None:
    """A mean of areas of the same channels, and zeros in the others."""
    block = Block(4, 6, np.random.default_rng(0)).eval()
    images = torch.rand(2, 4, side, side)
    found = block(images)
    assert found.shape == (2, 6, -(-side // 2), -(-side // 2))
    assert not found[:, 4:].any()
    corners = images[:, :, :2, :2].mean(dim=(2, 3))
    torch.testing.assert_close(found[:, :4, 0, 0], corners, rtol=1e-4, atol=1e-4)
    same = Block(4, 4, np.random.default_rng(0)).eval()
    torch.testing.assert_close(same(images), images)


def test_layers_end_with_what_forward_gives() -> None:
    model = ResNet(14, 3, 10, np.random.default_rng(0), stride=2).eval()
    images = torch.rand(2, 3, 16, 16)
    layers = model.layers(images)
    blocks = (f"block {k}" for k in range(1, 7))
    assert list(layers) == ["first convolution", *blocks, "average pool", "logits"]
    torch.testing.assert_close(layers["logits"], model(images))
    assert layers["block 6"].shape == (2, 64, 2, 2)


@pytest.mark.parametrize("crop", [0, 1, 2])
@pytest.mark.parametrize("flip", [False, True])
def test_an_augmented_image_is_a_shift_of_itself(crop: int, flip: bool) -> None:
    images = torch.rand(40, 2, 5, 5)
    found = augmented(images, crop=crop, flip=flip, rng=np.random.default_rng(0))
    padded = torch.nn.functional.pad(images, (crop,) * 4)
    mirrored = 0
    for before, after in zip(padded, found, strict=True):
        shifts = [
            before[:, y : y + 5, x : x + 5]
            for y in range(2 * crop + 1)
            for x in range(2 * crop + 1)
        ]
        plain = any(torch.equal(after, shift) for shift in shifts)
        turned = any(torch.equal(after, shift.flip(2)) for shift in shifts)
        assert plain or (turned and flip)
        mirrored += turned and not plain
    assert (10 < mirrored < 30) == flip


def test_augmentation_of_an_image_does_not_depend_on_those_after_it() -> None:
    images = torch.rand(6, 1, 4, 4)
    few, many = (
        augmented(images[:n], crop=1, flip=True, rng=np.random.default_rng(3)) for n in (4, 6)
    )
    assert torch.equal(few, many[:4])


def test_views_are_symmetric() -> None:
    """What sees all of them cannot tell an image from its mirror image."""
    images = np.random.default_rng(0).random((2, 1, 6, 6))
    for crops, expected in ((1, 1), (25, 25), (81, 81)):
        method = TestTime(crops=crops)  # type: ignore[arg-type]
        assert len(method.views()) == 2 * expected
        assert len(TestTime(flip=False, crops=crops).views()) == expected  # type: ignore[arg-type]
        seen, of_mirrored = (
            sum(view(each) for view in method.views()) for each in (images, images[..., ::-1])
        )
        np.testing.assert_allclose(seen, of_mirrored)


def test_a_snapshot_learns_as_fast_in_each_cycle_and_ends_at_nothing() -> None:
    method = Snapshot(cycles=4, warm_up=0.1)
    rates = np.array([method.rate(step, 400) for step in range(1, 401)]).reshape(4, 100)
    np.testing.assert_allclose(rates, rates[:1].repeat(4, axis=0), atol=1e-12)
    assert rates[0, 0] == 0.0
    assert rates[0].argmax() == 10
    assert rates[0, -1] < 0.001
    assert (np.diff(rates[0, 10:]) < 0).all()
