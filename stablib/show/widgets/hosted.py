"""One widget for two hosts: a kernel in Jupyter, and a static page without any server."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, ClassVar

import anywidget
import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError, unknown

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_DTYPES = ("uint8", "uint16", "uint32", "float32")


def asset(filename: str) -> str:
    """Read a text file that lies beside this module."""
    return files(__package__).joinpath(filename).read_text(encoding="utf-8")


def module_text(*filenames: str) -> str:
    """Join the shared JavaScript and a widget's own into one ES module.

    Parameters
    ----------
    *filenames : str
        The widget's own files, e.g. ``"seed_explorer.js"``.

    Returns
    -------
    str
        Defines ``widget`` and exports it by default, as anywidget expects.
    """
    return "\n".join(asset(filename) for filename in ("common.js", *filenames))


def encode_array(array: ArrayLike) -> dict[str, Any]:
    """Write a typed array into JSON.

    Parameters
    ----------
    array : array_like, any shape
        Of type uint8, uint16, uint32 or float32.

    Returns
    -------
    dict
        ``dtype``, ``shape`` and ``base64``: the values in C order, little endian.

    Raises
    ------
    ValueError
        If the type has no counterpart in the widgets' JavaScript.

    Examples
    --------
    >>> encode_array(np.array([[1, 2]], dtype=np.uint8))
    {'dtype': 'uint8', 'shape': [1, 2], 'base64': 'AQI='}
    """
    values = np.asarray(array)
    if values.dtype.name not in _DTYPES:
        raise ValueError(f"array must have dtype {', '.join(_DTYPES)}, got {values.dtype.name}")
    content = values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
    return {
        "dtype": values.dtype.name,
        "shape": list(values.shape),
        "base64": base64.b64encode(content).decode("ascii"),
    }


def decode_array(encoded: Mapping[str, Any]) -> NDArray[Any]:
    """Read back what :func:`encode_array` wrote.

    Parameters
    ----------
    encoded : mapping
        ``dtype``, ``shape`` and ``base64``.

    Returns
    -------
    ndarray
        Read-only.
    """
    dtype = np.dtype(encoded["dtype"]).newbyteorder("<")
    return np.frombuffer(base64.b64decode(encoded["base64"]), dtype).reshape(encoded["shape"])


def script_json(value: object) -> str:
    r"""Write JSON that cannot end, or open, the script element it stands in.

    Parameters
    ----------
    value : object
        What ``json`` can write; no NaN, which JSON does not know.

    Returns
    -------
    str
        JSON in which every ``<`` is escaped; ``<`` occurs inside strings alone.

    Examples
    --------
    >>> print(script_json("</script>"))
    "\u003c/script>"
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


class HostedWidget(anywidget.AnyWidget):
    """A widget whose ES module also runs in a static page, from ``file://`` and offline.

    A subclass sets ``_esm`` with :func:`module_text` and adds its state as traits tagged
    ``sync=True, state=True``: what a reader changes in the view, Python can read, observe and set.
    Of these a page's address may set the ones for which ``data`` has ``ranges``, the least and the
    largest number by trait, or ``offered``, the choices.

    Parameters
    ----------
    name : str
        Lower-case letters, digits and hyphens, unique on its page; names the element.
    data : dict
        All that the view needs and that does not change.
    picture : str
        HTML from a trusted source, e.g. an inline SVG, shown until the module has drawn the
        widget, and where scripts do not run.
    """

    _css = asset("widgets.css")

    #: Whether its view starts to work before a reader does anything: on paper it stays a picture.
    begins_unasked: ClassVar[bool] = False

    name = traitlets.Unicode()
    picture = traitlets.Unicode("")
    data = traitlets.Dict().tag(sync=True)

    @traitlets.validate("name")
    def _check_name(self, proposal: Any) -> str:
        if not _NAME.fullmatch(proposal.value):
            raise UsageError(
                f"name must be lower-case letters, digits and hyphens, got {proposal.value!r}"
            )
        return str(proposal.value)

    @property
    def element_id(self) -> str:
        """Id of the widget's element in a static page; depends on ``name`` alone."""
        return f"stablib-{self.name}"

    def state(self) -> dict[str, Any]:
        """Return the current values of the synced state traits, without ``data``."""
        return {name: getattr(self, name) for name in sorted(self.trait_names(state=True))}

    def linkable(self) -> dict[str, dict[str, Any]]:
        """What a page's address may set each state to; no other state can be linked.

        Returns
        -------
        dict of str to dict
            By trait: ``range`` and whether only ``whole`` numbers are right, or ``options``; of a
            list its ``length``, None if any will do, and the rule holds for each of its items; of
            a mapping the rules of all its ``fields``.
        """
        ranges, offered = self.data.get("ranges", {}), self.data.get("offered", {})
        rules: dict[str, dict[str, Any]] = {}
        for name, trait in self.traits(state=True).items():
            item = getattr(trait, "_trait", trait)
            if name in ranges:
                whole = isinstance(item, traitlets.Int)
                rules[name] = {"range": list(ranges[name]), "whole": whole}
            elif name in offered:
                rules[name] = {"options": list(offered[name])}
            elif isinstance(trait, traitlets.Enum):
                rules[name] = {"options": list(trait.values or ())}
            elif isinstance(trait, traitlets.Bool):
                rules[name] = {"options": [False, True]}
            if name in rules and isinstance(trait, traitlets.List):
                same = trait._minlen == trait._maxlen
                rules[name]["length"] = trait._minlen if same else None
        return rules

    def static_html(self) -> str:
        """Return the widget as HTML that needs no kernel, no server and no network."""
        module = f'{self._esm}\nhostStatic(widget, "{self.element_id}");'
        picture = self.picture or f"<p>{html.escape(self.name)}: loading</p>"
        content = script_json({**self.state(), "data": self.data, "linkable": self.linkable()})
        unasked = " data-unasked" if self.begins_unasked else ""
        return (
            f'<div class="stablib-host" id="{self.element_id}"{unasked}>\n'
            f"<style>{self._css}</style>\n"
            f'<div class="stablib-fallback">{picture}\n'
            "<noscript><p>With scripts switched on, this is an interactive widget.</p></noscript>"
            "</div>\n"
            f'<script type="application/json">{content}</script>\n'
            f'</div>\n<script type="module">\n{module}\n</script>'
        )

    def __repr__(self) -> str:
        # The default names a memory address, and so would differ in each executed notebook.
        return f"{type(self).__name__}(name={self.name!r})"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        content, metadata = bundle
        # JupyterLab prefers the widget view; a static page is told to prefer the HTML.
        return {**content, "text/html": self.static_html()}, metadata


def check_choice(trait: str, value: Any, allowed: Sequence[str]) -> str:
    """Return a state's value if it is allowed; raise the error that traitlets expects if not."""
    if value not in allowed:
        raise traitlets.TraitError(str(unknown(trait, value, allowed)))
    return str(value)


def check_position(trait: str, value: int, count: int) -> int:
    """Return an index of a state if it is below ``count``, or -1 for none."""
    if not -1 <= value < count:
        raise traitlets.TraitError(f"{trait} must be -1 (none) or below {count}, got {value}")
    return int(value)
