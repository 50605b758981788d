"""Ways of training runs, one a module. Recipes are light; training code is loaded when used."""

# Methods are known from their definition on: what reads a recipe must know them all.
import stablib.mitigation  # noqa: F401
from stablib.workloads.attention import AttentionRecipe, Checkpoints, Explanations
from stablib.workloads.finetune import FineTuneRecipe, TopLayerRecipe
from stablib.workloads.heads import HeadRecipe
from stablib.workloads.images import Curve, ImageRecipe, Logits, Similarity, Trace
from stablib.workloads.language import JointWords, LanguageRecipe, NextWords
from stablib.workloads.ranking import (
    Attended,
    FactorRecipe,
    HitCurve,
    ItemRecipe,
    Ranked,
    RankingRecipe,
    Vectors,
)
from stablib.workloads.streams import StreamRecipe

__all__ = [
    "Attended",
    "AttentionRecipe",
    "Checkpoints",
    "Curve",
    "Explanations",
    "FactorRecipe",
    "FineTuneRecipe",
    "HeadRecipe",
    "HitCurve",
    "ImageRecipe",
    "ItemRecipe",
    "JointWords",
    "LanguageRecipe",
    "Logits",
    "NextWords",
    "Ranked",
    "RankingRecipe",
    "Similarity",
    "StreamRecipe",
    "TopLayerRecipe",
    "Trace",
    "Vectors",
]
