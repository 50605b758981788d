"""A panel for live notebooks: run the main experiment again with other parameters."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import ipywidgets

from stablib.errors import StablibError
from stablib.metrics import percentage_reduction
from stablib.runs.results import Results
from stablib.show.local_instability.comparison import CONTROL


class Study(Protocol):
    """What the panel needs of a session: its settings, and a changed copy of itself."""

    settings: Any
    datasets: Sequence[str]

    def changed(self, **changes: Any) -> Study:
        """Return the same study with other settings."""

    def results(self, dataset: str | None = None, **options: Any) -> Results:
        """Return results, training what is missing."""


class RerunPanel(ipywidgets.VBox):
    """Controls and result of a rerun; a static page gets a sentence instead."""

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs) or {}
        bundle["text/html"] = (
            '<p class="exhibit-line">This panel needs a running kernel: open the notebook in '
            "Jupyter to train the experiment with other parameters.</p>"
        )
        return bundle


#: Without the 200 teachers of the ensemble, which take minutes.
METHODS = ("Label smoothing", "TGTSS, own")


def rerun_panel(study: Study) -> RerunPanel:
    """Make the panel.

    Parameters
    ----------
    study : Study
        The session whose settings are the start values.
    """
    s = study.settings
    dataset = study.datasets[0]
    controls = {
        "alpha": ipywidgets.BoundedFloatText(s.alpha[dataset], min=0, max=1, step=0.05),
        "temperature": ipywidgets.BoundedFloatText(s.temperature, min=0.05, max=5, step=0.05),
        "after_step": ipywidgets.BoundedIntText(s.after_step[dataset], min=0, max=100_000),
        "learning_rate": ipywidgets.BoundedFloatText(s.learning_rate, min=1e-6, max=1, step=1e-4),
        "n_runs": ipywidgets.BoundedIntText(min(10, s.n_runs), min=2, max=200),
        "first_seed": ipywidgets.BoundedIntText(5000, min=0, max=10**9),
    }
    for name, control in controls.items():
        control.description = name
        control.style = {"description_width": "9em"}
    button = ipywidgets.Button(description="Train", icon="play", tooltip="Train and compare")
    result = ipywidgets.HTML("Not run yet.")
    button.on_click(_runner(study, controls, result))
    return RerunPanel([*controls.values(), button, result])


def _runner(
    study: Study, controls: dict[str, Any], result: ipywidgets.HTML
) -> Callable[[Any], None]:
    def run(_: Any) -> None:
        result.value = "Training …"
        changes = {name: control.value for name, control in controls.items()}
        try:
            results = study.changed(**changes).results(methods=[CONTROL, *METHODS])
        except (StablibError, ValueError) as error:
            result.value = f"<strong>{html.escape(str(error))}</strong>"
            return
        reductions = "; ".join(
            f"{name}: LE_m {percentage_reduction(results.le_m[name], results.le_m[CONTROL]):.1f} % "
            "below control"
            for name in METHODS
        )
        result.value = html.escape(
            f"{reductions} ({results.le_m[CONTROL].sum():.1f} nats), {changes['n_runs']} runs "
            f"each. {results.dataset.notice}"
        )

    return run
