"""Interactive widgets that work in a notebook with a kernel and in a static page without one."""

from stablib.show.widgets.descent import Descent, descent
from stablib.show.widgets.divergence_viewer import DivergenceViewer, divergence_viewer
from stablib.show.widgets.explanation_comparer import ExplanationComparer, explanation_comparer
from stablib.show.widgets.how_many_seeds import HowManySeeds, how_many_seeds
from stablib.show.widgets.instability_map import InstabilityMap, instability_map
from stablib.show.widgets.mitigation_matrix import MitigationMatrix, mitigation_matrix
from stablib.show.widgets.pd_explorer import PDExplorer, pd_explorer
from stablib.show.widgets.rerun_panel import Effects, Parameter, RerunPanel, rerun_panel
from stablib.show.widgets.seed_explorer import SeedExplorer, seed_explorer
from stablib.show.widgets.train_again import TrainAgain, train_again
from stablib.show.widgets.train_pairs import TrainPairs, train_pairs
from stablib.show.widgets.why_this_film import WhyThisFilm, why_this_film

__all__ = [
    "Descent",
    "DivergenceViewer",
    "Effects",
    "ExplanationComparer",
    "HowManySeeds",
    "InstabilityMap",
    "MitigationMatrix",
    "PDExplorer",
    "Parameter",
    "RerunPanel",
    "SeedExplorer",
    "TrainAgain",
    "TrainPairs",
    "WhyThisFilm",
    "descent",
    "divergence_viewer",
    "explanation_comparer",
    "how_many_seeds",
    "instability_map",
    "mitigation_matrix",
    "pd_explorer",
    "rerun_panel",
    "seed_explorer",
    "train_again",
    "train_pairs",
    "why_this_film",
]
