"""Families of small frozen models that can be written as JSON and read back by their kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, model_validator

from stablib.errors import unknown


class Tagged(BaseModel):
    """A model of a family whose members are told apart by ``kind``.

    A family is a subclass with a dict ``kinds`` of its own. A member is a subclass with a
    default ``kind``; it is known to its family from its definition on. Validating the fields of
    any member as the family gives that member, so whatever holds a ``Method`` can be written with
    ``model_dump`` and read back, whichever method it was.

    Examples
    --------
    >>> class Shape(Tagged):
    ...     kinds = {}
    >>> class Square(Shape):
    ...     kind: str = "square"
    ...     side: float
    >>> Shape.model_validate({"kind": "square", "side": 2})
    Square(kind='square', side=2.0)
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kinds: ClassVar[dict[str, type[Tagged]]]

    kind: str

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Make a member known to its family."""
        kind = cls.model_fields["kind"].default
        if "kinds" not in vars(cls) and isinstance(kind, str):
            known = cls.kinds.get(kind, cls)
            # The same class may be defined again, as by a module that is loaded twice.
            if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
                raise TypeError(f"kind {kind!r} is taken by {known.__qualname__}: name another")
            cls.kinds[kind] = cls

    @model_validator(mode="wrap")
    @classmethod
    def _as_member(cls, value: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        if "kinds" not in vars(cls) or not isinstance(value, Mapping):
            return handler(value)
        kind = value.get("kind")
        if kind not in cls.kinds:
            raise ValueError(str(unknown(f"{cls.__name__.lower()} kind", kind, cls.kinds)))
        return cls.kinds[kind].model_validate(value)


#: Marks a field whose default was another one once: its value is always written.
ALWAYS_WRITTEN = "always written"


def identity(value: Any) -> Any:
    """Write a value as JSON values; of models only what differs from the defaults, and the kind.

    A new field with a default leaves the identity of everything made before as it was. A changed
    default would not be noticed: defaults are pinned by a test, and a field whose default changes
    is marked ``ALWAYS_WRITTEN``.

    Parameters
    ----------
    value : object
        A model, or what models hold: numbers, text, None, sequences and mappings.

    Returns
    -------
    object
        JSON values; the model can be made from it again.
    """
    if isinstance(value, BaseModel):
        return {
            name: identity(getattr(value, name))
            for name, field in type(value).model_fields.items()
            if name == "kind"
            or field.is_required()
            or ALWAYS_WRITTEN in field.metadata
            or getattr(value, name) != field.get_default(call_default_factory=True)
        }
    if isinstance(value, Mapping):
        return {str(key): identity(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [identity(item) for item in value]
    return value
