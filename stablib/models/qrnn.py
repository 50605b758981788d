"""A quasi-recurrent language model: convolutions over time, and a recurrence without weights."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from stablib.models.drawing import linear

#: Words that the first layer looks at at once; the others look at one.
_FIRST_WINDOW = 2
#: Embeddings begin uniform within it.
_EMBEDDING = 0.1

#: Makes a mask of a tensor, whose mean is 1, of its kind ("words", "input", "hidden", "output")
#: and its shape.
Mask = Callable[[str, tuple[int, ...]], Tensor]


# A row at a time, without a branch inside: the compiler makes whole vectors of it.
@njit(cache=True)
def _mix(forget: Any, values: Any, before: Any, after: Any) -> None:
    for j in range(after.size):
        after[j] = before[j] + forget[j] * (values[j] - before[j])


@njit(cache=True)
def _forward(forget: Any, values: Any, start: Any, states: Any) -> None:
    _mix(forget[0], values[0], start, states[0])
    for t in range(1, len(states)):
        _mix(forget[t], values[t], states[t - 1], states[t])


@njit(cache=True)
def _unmix(
    forget: Any, values: Any, before: Any, of_state: Any, of_forget: Any, of_values: Any, left: Any
) -> None:
    for j in range(left.size):
        gradient = of_state[j] + left[j]
        of_forget[j] = gradient * (values[j] - before[j])
        of_values[j] = gradient * forget[j]
        left[j] = gradient - of_values[j]


@njit(cache=True)
def _backward(
    forget: Any,
    values: Any,
    start: Any,
    states: Any,
    of_states: Any,
    of_forget: Any,
    of_values: Any,
    of_start: Any,
) -> None:
    """Gradients of the gates, of the values and of the start; that of the start is 0 before."""
    for t in range(len(states) - 1, 0, -1):
        _unmix(
            forget[t],
            values[t],
            states[t - 1],
            of_states[t],
            of_forget[t],
            of_values[t],
            of_start,
        )
    _unmix(forget[0], values[0], start, of_states[0], of_forget[0], of_values[0], of_start)


class _ForgetMult(torch.autograd.Function):
    """The recurrence as one operation."""

    @staticmethod
    def forward(ctx: Any, forget: Tensor, values: Tensor, start: Tensor) -> Tensor:
        states = torch.empty_like(forget, memory_format=torch.contiguous_format)
        _forward(_rows(forget), _rows(values), _row(start), _rows(states))
        ctx.save_for_backward(forget, values, start, states)
        return states

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        forget, values, start, states = ctx.saved_tensors
        of_forget, of_values = (
            torch.empty_like(states, memory_format=torch.contiguous_format) for _ in range(2)
        )
        of_start = torch.zeros_like(start, memory_format=torch.contiguous_format)
        _backward(
            _rows(forget),
            _rows(values),
            _row(start),
            _rows(states),
            _rows(gradients[0]),
            _rows(of_forget),
            _rows(of_values),
            _row(of_start),
        )
        return of_forget, of_values, of_start


def _rows(sequence: Tensor) -> NDArray[Any]:
    """Steps as rows; a view of a tensor that lies in one piece."""
    return sequence.detach().contiguous().numpy().reshape(len(sequence), -1)


def _row(state: Tensor) -> NDArray[Any]:
    """One step as a row, likewise."""
    return state.detach().contiguous().numpy().reshape(-1)


def forget_mult(forget: Tensor, values: Tensor, start: Tensor) -> Tensor:
    """Mix values into a state, step by step: ``h[t] = f[t] z[t] + (1 - f[t]) h[t - 1]``.

    Parameters
    ----------
    forget, values : Tensor, shape (n_steps, ...)
        Gates between 0 and 1, and what is mixed in.
    start : Tensor, shape (...)
        State before the first step.

    Returns
    -------
    Tensor, shape (n_steps, ...)
        States; gradients flow to all three.

    Notes
    -----
    Bradbury et al. 2016, f-pooling. One compiled loop over all numbers of a step, in the order of
    the steps: the same bits on any number of threads.

    Examples
    --------
    >>> forget_mult(torch.full((3, 1), 0.5), torch.ones(3, 1), torch.zeros(1)).ravel().tolist()
    [0.5, 0.75, 0.875]
    """
    found: Tensor = _ForgetMult.apply(forget, values, start)
    return found


class QRNNLayer(torch.nn.Module):
    """One layer: gates and values from the last words, then :func:`forget_mult`.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Numbers of a word before and after.
    window : {1, 2}
        Words that it looks at at once.
    rng : numpy.random.Generator
        Draws the initial weights.
    """

    def __init__(
        self, n_inputs: int, n_outputs: int, window: int, rng: np.random.Generator
    ) -> None:
        super().__init__()
        self.n_inputs, self.n_outputs, self.window = n_inputs, n_outputs, window
        self.gates = linear(window * n_inputs, 3 * n_outputs, rng)

    def start(self, n_streams: int) -> list[Tensor]:
        """State before a text: the word before it, and the recurrence."""
        return [torch.zeros(n_streams, self.n_inputs), torch.zeros(n_streams, self.n_outputs)]

    def forward(self, words: Tensor, state: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """States of words, shape (n_steps, n_streams, n_outputs), and what the next words need."""
        before, recurrent = state
        seen = words
        if self.window == 2:
            seen = torch.cat([torch.cat([before[None], words[:-1]]), words], dim=2)
        values, forget, output = self.gates(seen).chunk(3, dim=2)
        states = forget_mult(torch.sigmoid(forget), torch.tanh(values), recurrent)
        return torch.sigmoid(output) * states, [words[-1].detach(), states[-1].detach()]


class LanguageModel(torch.nn.Module):
    """Embeddings, layers, and the same embeddings as decoder.

    Parameters
    ----------
    n_words : int
        Of the vocabulary.
    n_embedding, n_hidden, n_layers : int
        Numbers of an embedding and of a word between layers, and layers.
    rng : numpy.random.Generator
        Draws the initial weights.

    Notes
    -----
    Nondeterminism paper, section 3.3: 256 numbers, 512 hidden units, 3 layers, by the code of
    Merity et al. 2017, whose decoder shares the weights of the embeddings.

    Examples
    --------
    >>> model = LanguageModel(10_000, 256, 512, 3, np.random.default_rng(0))
    >>> sum(p.numel() for p in model.parameters())
    4539920
    """

    def __init__(
        self,
        n_words: int,
        n_embedding: int,
        n_hidden: int,
        n_layers: int,
        rng: np.random.Generator,
    ) -> None:
        super().__init__()
        drawn = rng.random((n_words, n_embedding), dtype=np.float32) * 2 * _EMBEDDING - _EMBEDDING
        self.embedding = torch.nn.Parameter(torch.from_numpy(drawn))
        self.bias = torch.nn.Parameter(torch.zeros(n_words))
        widths = [n_embedding, *[n_hidden] * (n_layers - 1), n_embedding]
        self.layers = torch.nn.ModuleList(
            QRNNLayer(n_inputs, n_outputs, _FIRST_WINDOW if number == 0 else 1, rng)
            for number, (n_inputs, n_outputs) in enumerate(itertools.pairwise(widths))
        )

    def start(self, n_streams: int) -> list[list[Tensor]]:
        """State of all layers before a text."""
        return [layer.start(n_streams) for layer in self.layers]  # type: ignore[operator]

    def forward(
        self, words: Tensor, state: Sequence[Sequence[Tensor]], mask: Mask | None = None
    ) -> tuple[Tensor, list[list[Tensor]]]:
        """Logits of the next words.

        Parameters
        ----------
        words : Tensor of int, shape (n_steps, n_streams)
        state : list
            Of :meth:`start`, or what the words before left.
        mask : callable, optional
            Makes dropout masks; nothing is dropped without.

        Returns
        -------
        logits : Tensor, shape (n_steps * n_streams, n_words)
            One step after the other.
        state : list
            What the next words need; no gradient flows through it.
        """
        weights: Tensor = self.embedding
        if mask is not None:
            weights = weights * mask("words", (len(weights), 1))
        states = functional.embedding(words, weights)
        last, after = len(self.layers) - 1, []
        for number, layer in enumerate(self.layers):
            if mask is not None:
                states = states * mask("input" if number == 0 else "hidden", (1, *states.shape[1:]))
            states, left = layer(states, state[number])
            after.append(left)
            if number == last and mask is not None:
                states = states * mask("output", (1, *states.shape[1:]))
        return functional.linear(states.flatten(0, 1), self.embedding, self.bias), after
