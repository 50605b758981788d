"""Write names, powers and signs on pages as they stand in print."""

from __future__ import annotations

import re

#: A hyphen before a number, in the text of a page.
_MINUS = re.compile(r"(?<=[>\[( ])-(?=\d)")
#: What stands before a sign of percent, from which no line may part it.
_PERCENT = re.compile(r"(?<=[\d\]]) %")
#: 2.7e-08, 2^21 and p^T.
_SCIENTIFIC = re.compile(r"(?<![\w.])(-?\d+(?:\.\d+)?)e([+-]\d+)\b")
_POWER = re.compile(r"(?<=[\w)])\^(-?\d+|T\b)")

#: Names of quantities, and what stands for them.
_NAMES = {
    "LE_m": "LEₘ",
    "LE_s": "LEₛ",
    "mu_m": "μₘ",
    "sigma_m": "σₘ",
    "μ_m": "μₘ",
    "σ_m": "σₘ",
    "log2": "log₂",
}
_NAME = re.compile(rf"(?<![A-Za-z])({'|'.join(_NAMES)})(?=$|[^\w(])")
_RAISED = str.maketrans("-0123456789T", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹ᵀ")


def raised(exponent: int | str) -> str:
    """Write a number, or T, as a superscript.

    Examples
    --------
    >>> raised(-12)
    '⁻¹²'
    """
    return str(exponent).translate(_RAISED)


def in_print(text: str) -> str:
    r"""Write a sentence, or the HTML of a table, with signs instead of what stands for them.

    Examples
    --------
    >>> in_print("LE_m is -2.7e-08 at T = 2^21, p^T")
    'LEₘ is −2.7 × 10⁻⁸ at T = 2²¹, pᵀ'
    >>> in_print("5 %") == "5\u00a0%"
    True
    """
    text = _PERCENT.sub("\u00a0%", text)
    text = _SCIENTIFIC.sub(lambda found: f"{found[1]} × 10{raised(int(found[2]))}", text)
    text = _POWER.sub(lambda found: raised(found[1]), text)
    text = _NAME.sub(lambda found: _NAMES[found[1]], text)
    return _MINUS.sub("\u2212", text)
