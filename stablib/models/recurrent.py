"""A bidirectional LSTM over unpadded sentences, both directions in one loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stablib.models.batch import Sentences
from stablib.models.drawing import draw_uniform

#: Units of each direction (random-seed paper, section 4.3).
UNITS = 128


class BiLSTM(torch.nn.Module):
    """One layer of ``torch.nn.LSTM(width, 128, bidirectional=True)``, with its parameters.

    Parameters
    ----------
    width : int
        Numbers of a word vector.
    rng : numpy.random.Generator
        Draws the initial weights, as ``torch.nn.LSTM`` does.

    Notes
    -----
    Sentences go in order of length, so that at each step those that have not ended are the first
    ones: no step is spent on padding. Both directions take the same steps, as one batched product.

    Examples
    --------
    >>> encoder = BiLSTM(50, np.random.default_rng(0))
    >>> encoder.n_outputs, sum(p.numel() for p in encoder.parameters())
    (256, 184320)
    """

    def __init__(self, width: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.n_outputs = 2 * UNITS
        self.weight_ih_l0 = torch.nn.Parameter(torch.empty(4 * UNITS, width))
        self.weight_hh_l0 = torch.nn.Parameter(torch.empty(4 * UNITS, UNITS))
        self.bias_ih_l0 = torch.nn.Parameter(torch.empty(4 * UNITS))
        self.bias_hh_l0 = torch.nn.Parameter(torch.empty(4 * UNITS))
        self.weight_ih_l0_reverse = torch.nn.Parameter(torch.empty(4 * UNITS, width))
        self.weight_hh_l0_reverse = torch.nn.Parameter(torch.empty(4 * UNITS, UNITS))
        self.bias_ih_l0_reverse = torch.nn.Parameter(torch.empty(4 * UNITS))
        self.bias_hh_l0_reverse = torch.nn.Parameter(torch.empty(4 * UNITS))
        draw_uniform(list(self.parameters()), UNITS, rng)

    def forward(self, vectors: Tensor, batch: Sentences) -> Tensor:
        """Hidden states of tokens.

        Parameters
        ----------
        vectors : Tensor, shape (n_tokens, width)
            Word vectors.
        batch : Sentences
            Which tokens belong together.

        Returns
        -------
        Tensor, shape (n_tokens, 256)
            The forward direction's states, then the backward direction's.
        """
        forwards, backwards, active = _by_step(batch)
        gates = torch.stack(
            [
                torch.addmm(
                    self.bias_ih_l0 + self.bias_hh_l0,
                    vectors.index_select(0, forwards),
                    self.weight_ih_l0.T,
                ),
                torch.addmm(
                    self.bias_ih_l0_reverse + self.bias_hh_l0_reverse,
                    vectors.index_select(0, backwards),
                    self.weight_ih_l0_reverse.T,
                ),
            ]
        )
        recurrent = torch.stack([self.weight_hh_l0, self.weight_hh_l0_reverse])
        states = _Steps.apply(gates, recurrent, active)
        return torch.cat(
            [
                states[0].index_select(0, torch.argsort(forwards)),
                states[1].index_select(0, torch.argsort(backwards)),
            ],
            dim=1,
        )

    def last(self, hidden: Tensor, batch: Sentences) -> Tensor:
        """Where each direction ends in a sentence, shape (n_sentences, 256)."""
        first, end = (torch.from_numpy(batch.starts[part]) for part in (slice(-1), slice(1, None)))
        return torch.cat([hidden[end - 1, :UNITS], hidden[first, UNITS:]], dim=1)


def _by_step(batch: Sentences) -> tuple[Tensor, Tensor, list[int]]:
    """Order in which each direction reads the tokens, and how many sentences go on at each step.

    Step t of the forward direction reads token t of every sentence that has one, the longest
    sentence first; that of the backward direction reads the t-th from the end.
    """
    order = np.argsort(-batch.lengths, kind="stable")
    lengths = batch.lengths[order]
    going = np.arange(lengths[0])[:, None] < lengths[None, :]
    steps, sentence = np.nonzero(going)
    first = batch.starts[:-1][order][sentence]
    last = batch.starts[1:][order][sentence] - 1
    return torch.from_numpy(first + steps), torch.from_numpy(last - steps), going.sum(1).tolist()


class _Steps(torch.autograd.Function):
    """The recurrence, forwards and backwards by hand.

    The gates from the inputs have shape (2, n_tokens, 512), in the order of the steps; the
    recurrent weights (2, 512, 128); of the sentences ``active[t]`` go on at step t. Gates are in
    torch's order: input, forget, cell, output.
    """

    @staticmethod
    def forward(ctx: Any, gates: Tensor, recurrent: Tensor, active: Sequence[int]) -> Tensor:
        gates = gates.clone()
        cells = gates.new_empty(2, gates.shape[1], UNITS)
        squashed, states = torch.empty_like(cells), torch.empty_like(cells)
        across = recurrent.transpose(1, 2)
        start = 0
        for t, n in enumerate(active):
            now = slice(start, start + n)
            z = gates[:, now]
            if t:
                before = slice(start - active[t - 1], start - active[t - 1] + n)
                z.baddbmm_(states[:, before], across)
            z[..., : 2 * UNITS].sigmoid_()
            z[..., 2 * UNITS : 3 * UNITS].tanh_()
            z[..., 3 * UNITS :].sigmoid_()
            i, f, g, o = z.split(UNITS, dim=2)
            c = cells[:, now]
            torch.mul(i, g, out=c)
            if t:
                c.addcmul_(f, cells[:, before])
            torch.tanh(c, out=squashed[:, now])
            torch.mul(o, squashed[:, now], out=states[:, now])
            start += n
        ctx.save_for_backward(gates, cells, squashed, states, recurrent)
        ctx.active = active
        return states

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        gates, cells, squashed, states, recurrent = ctx.saved_tensors
        active: Sequence[int] = ctx.active
        back = torch.empty_like(gates)
        # What comes back from the step after, of the sentences that have one.
        later_state = gradient.new_zeros(2, active[0], UNITS)
        later_cell = gradient.new_zeros(2, active[0], UNITS)
        end = gates.shape[1]
        for t in reversed(range(len(active))):
            n = active[t]
            now = slice(end - n, end)
            i, f, g, o = gates[:, now].split(UNITS, dim=2)
            di, df, dg, do = back[:, now].split(UNITS, dim=2)
            tanh_c = squashed[:, now]
            dh = gradient[:, now] + later_state[:, :n]
            dc = later_cell[:, :n].addcmul_(dh * o, 1.0 - tanh_c * tanh_c)
            torch.mul(dh * tanh_c, o * (1.0 - o), out=do)
            torch.mul(dc * g, i * (1.0 - i), out=di)
            torch.mul(dc * i, 1.0 - g * g, out=dg)
            if t:
                m = active[t - 1]
                before = slice(end - n - m, end - m)
                torch.mul(dc * cells[:, before], f * (1.0 - f), out=df)
                torch.bmm(back[:, now], recurrent, out=later_state[:, :n])
                dc.mul_(f)
            else:
                df.zero_()
            end -= n
        # All steps but the first have a state before: that of the same sentence a step earlier.
        previous = _previous(active)
        weights = torch.bmm(back[:, active[0] :].transpose(1, 2), states.index_select(1, previous))
        return back, weights, None


def _previous(active: Sequence[int]) -> Tensor:
    """Places of the states before those of the second step and all after."""
    starts = np.cumsum([0, *active])
    rows = [np.arange(starts[t - 1], starts[t - 1] + n) for t, n in enumerate(active) if t]
    return torch.from_numpy(np.concatenate([np.zeros(0, np.int64), *rows]))
