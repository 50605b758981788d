"""Where a classifier of images is trained, and whether an accelerator may add up as it likes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from stablib.errors import UsageError


def device_of(name: str) -> torch.device:
    """The processor, or an accelerator.

    Raises
    ------
    UsageError
        If torch sees no accelerator.

    Examples
    --------
    >>> device_of("cpu")
    device(type='cpu')
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            "device 'cuda' is asked for, and torch sees no accelerator: device 'cpu' trains on "
            "the processor"
        )
    return torch.device(name)


@contextmanager
def kernels(device: torch.device) -> Iterator[None]:
    """Fix the kernels of an accelerator inside, until :func:`choose_kernels` says otherwise.

    A processor is left as it is: it adds up in the order of the program.
    """
    if device.type == "cpu":
        yield
        return
    # Whatever is not named is switched off, cuDNN itself too. TF32 would round a changed bit away.
    with torch.backends.cudnn.flags(
        enabled=True, deterministic=True, benchmark=False, allow_tf32=False
    ):
        yield


def choose_kernels(device: torch.device, *, free: bool) -> None:
    """Let an accelerator choose kernels by trying, and add up in any order, or neither.

    Inside of :func:`kernels`, after which all is as it was.

    References
    ----------
    Summers and Dinneen 2021, section 3.1: the low-level source is these two together.
    """
    if device.type != "cpu":
        backend = torch.backends.cudnn
        backend.deterministic, backend.benchmark = not free, free
