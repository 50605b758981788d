"""A panel for live notebooks: run the main experiment again with other parameters."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import ipywidgets

from stablib.errors import StablibError
from stablib.metrics import percentage_reduction
from stablib.runs.cost import costs, in_words
from stablib.studies.local_instability import CONTROL, LocalInstability, Variant
from stablib.studies.local_instability.design import Design
from stablib.studies.local_instability.settings import AFTER_STEP, ALPHA


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
METHODS = (Variant("label_smoothing"), Variant("tgtss", "own"))


def rerun_panel(study: LocalInstability) -> RerunPanel:
    """Make the panel.

    Parameters
    ----------
    study : LocalInstability
        The study whose settings are the start values.
    """
    study = study.changed(model="head")  # Trained in seconds.
    s, dataset = study.settings, study.datasets[0]
    controls = {
        "alpha": ipywidgets.BoundedFloatText(s.alpha or ALPHA[dataset], min=0, max=1, step=0.05),
        "temperature": ipywidgets.BoundedFloatText(s.temperature, min=0.05, max=5, step=0.05),
        "after_step": ipywidgets.BoundedIntText(
            AFTER_STEP[dataset] if s.after_step is None else s.after_step, min=0, max=100_000
        ),
        "learning_rate": ipywidgets.BoundedFloatText(
            Design(s, dataset).control.learning_rate, min=1e-6, max=1, step=1e-4
        ),
        "n_runs": ipywidgets.BoundedIntText(min(10, s.n_runs), min=2, max=200),
        "first_seed": ipywidgets.BoundedIntText(5000, min=0, max=10**9),
    }
    for name, control in controls.items():
        control.description = name
        control.style = {"description_width": "9em"}
    price = ipywidgets.Button(description="What will it cost?", icon="clock-o")
    button = ipywidgets.Button(description="Train", icon="play", tooltip="Train and compare")
    result = ipywidgets.HTML("Not run yet.")

    def changed() -> LocalInstability:
        values = {name: control.value for name, control in controls.items()}
        return study.changed(dataset=dataset, **values)

    price.on_click(_answering(result, lambda: _price(changed())))
    button.on_click(_answering(result, lambda: _compare(changed(), result)))
    return RerunPanel([*controls.values(), price, button, result])


def _answering(result: ipywidgets.HTML, answer: Callable[[], str]) -> Callable[[Any], None]:
    """Show an answer, or in one line why there is none."""

    def run(_: Any) -> None:
        try:
            result.value = html.escape(answer())
        except (StablibError, ValueError) as error:
            result.value = f"<strong>{html.escape(str(error))}</strong>"

    return run


def _price(study: LocalInstability) -> str:
    """What is missing, and what training it will cost here."""
    wanted = Design(study.settings, study.datasets[0]).runs()
    requests = [wanted[variant] for variant in (CONTROL, *METHODS)]
    missing = costs(requests, study.store, study.inputs)
    if not missing:
        return "Nothing has to be trained."
    runs = sum(len(cost.request.plans) for cost in missing)
    seconds = sum(cost.seconds for cost in missing)
    return f"{runs} runs have to be trained, about {in_words(seconds)} on this machine."


def _compare(study: LocalInstability, result: ipywidgets.HTML) -> str:
    """Train, and say what the methods reduce."""
    result.value = f"Training … {html.escape(_price(study))}"
    results = study.results(variants=(CONTROL, *METHODS))
    control = results.le_m[CONTROL]
    reductions = "; ".join(
        f"{v.title}: LE_m {abs(less):.1f} % {'below' if less >= 0.0 else 'above'} control"
        for v in METHODS
        for less in [percentage_reduction(results.le_m[v], control)]
    )
    runs = len(results.runs[CONTROL])
    return f"{reductions} ({control.sum():.1f} nats), {runs} runs each. {results.notice}".strip()
