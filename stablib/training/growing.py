"""What watches a training and changes with it: it must say what is to be kept of it."""

from __future__ import annotations

from typing import Any, ClassVar


class Growing:
    """Base of averagers and observers.

    Raises
    ------
    TypeError
        When a class is defined that looks at steps or epochs and does not say what grows: a
        training that is interrupted would go on from a wrong state, in silence.
    """

    #: Attributes that change while a training goes on: all that is kept when it is interrupted.
    #: Numbers, arrays, tensors, or lists and dicts of these; ``()`` for nothing.
    growing: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if Growing in cls.__bases__:
            return  # A family, whose hooks do nothing by default.
        looks = {"before_step", "after_step", "after_epoch"} & vars(cls).keys()
        own = [vars(base) for base in cls.__mro__ if base is not Growing]
        said = any("growing" in names or "grown" in names for names in own)
        if looks and not said:
            raise TypeError(f"{cls.__name__} has to name in 'growing' what changes in a training")

    def grown(self) -> dict[str, Any]:
        """What has changed so far."""
        return {name: vars(self)[name] for name in self.growing}

    def grow(self, grown: dict[str, Any]) -> None:
        """Go on from what :meth:`grown` said."""
        vars(self).update(grown)
