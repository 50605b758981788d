"""Test-time augmentation: a mean of predictions for several views of the same image."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stablib.training.method import Method

#: How many steps each crop may lie from the middle, by the number of crops.
_REACH = {1: 0, 25: 2, 81: 4}
#: Pixels from which on 25 crops reach as far as 81.
_LARGE = 32


class TestTime(Method):
    """Average the logits of mirrored and shifted images; the training is the same.

    Parameters
    ----------
    flip : bool, default True
        Also mirror each image.
    crops : {1, 25, 81}, default 1
        Shifts by up to four pixels in each direction, 81 of them by steps of one pixel and 25 by
        steps of two; on images of fewer than 32 pixels, 25 are by up to two pixels in steps of
        one. What is shifted in is 0.

    Notes
    -----
    Nondeterminism paper as printed (ICML 2021), its table of mitigations. The released code shifts
    black into images before they are scaled, where here it is their mean.

    Examples
    --------
    >>> len(TestTime(crops=25).views())
    50
    >>> image = np.array([[[[1, 2], [3, 4]]]])
    >>> [view(image).tolist() for view in TestTime().views()]
    [[[[[1, 2], [3, 4]]]], [[[[2, 1], [4, 3]]]]]
    """

    __test__ = False  # It is no test of pytest's.

    kind: Literal["test_time"] = "test_time"
    of = "images"
    flip: bool = True
    crops: Literal[1, 25, 81] = 1

    @property
    def name(self) -> str:
        """Short name, such as ``"flip_crop25"``."""
        return "_".join(["flip"] * self.flip + [f"crop{self.crops}"] * (self.crops > 1)) or "none"

    def views(self) -> list[Callable[[Any], Any]]:
        """One function for each view of images of shape (n_images, n_channels, height, width)."""
        reach = range(-_REACH[self.crops], _REACH[self.crops] + 1)
        return [
            partial(_seen, down=down, right=right, mirrored=mirrored, wide=self.crops == 25)
            for mirrored in ((False, True) if self.flip else (False,))
            for down in reach
            for right in reach
        ]


def _seen(
    images: NDArray[Any], *, down: int, right: int, mirrored: bool, wide: bool
) -> NDArray[Any]:
    """Shift images, large ones by twice as much if wide, with zeros where nothing is; mirror."""
    height, width = images.shape[2:]
    if wide and min(height, width) >= _LARGE:
        down, right = 2 * down, 2 * right
    far = max(abs(down), abs(right))
    padded = np.pad(images, ((0, 0), (0, 0), (far, far), (far, far)))
    top, left = far - down, far - right
    part = padded[:, :, top : top + height, left : left + width]
    return np.ascontiguousarray(part[..., ::-1] if mirrored else part)
