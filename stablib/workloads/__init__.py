"""Ways of training runs, one a module. Recipes are light; training code is loaded when used."""

# Methods are known from their definition on: what reads a recipe must know them all.
import stablib.mitigation  # noqa: F401
from stablib.workloads.attention import AttentionRecipe, Checkpoints, Explanations
from stablib.workloads.finetune import FineTuneRecipe, TopLayerRecipe
from stablib.workloads.heads import HeadRecipe
from stablib.workloads.images import Curve, ImageRecipe, Logits, Similarity, Trace
from stablib.workloads.language import LanguageRecipe, NextWords
from stablib.workloads.streams import StreamRecipe

__all__ = [
    "AttentionRecipe",
    "Checkpoints",
    "Curve",
    "Explanations",
    "FineTuneRecipe",
    "HeadRecipe",
    "ImageRecipe",
    "LanguageRecipe",
    "Logits",
    "NextWords",
    "Similarity",
    "StreamRecipe",
    "TopLayerRecipe",
    "Trace",
]
