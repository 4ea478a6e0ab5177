"""Numbers that carry their legal range, and the one decorator of all configurations."""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Annotated, Any, TypeVar, Union, cast, dataclass_transform

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass, is_pydantic_dataclass

from contrastive.words import in_words

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Share = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]

STRICT = ConfigDict(extra="forbid", validate_default=True)
"""No unknown field, no illegal default."""
T = TypeVar("T")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(Field,))
def configuration(kind: type[T]) -> type[T]:
    """Make a class a frozen dataclass that is legal by type and whose repr says what differs from its defaults."""
    kind.__repr__ = _differences
    return strict(kw_only=True, repr=False)(kind)


@dataclass_transform(frozen_default=True, field_specifiers=(Field,))
def strict(*, kw_only: bool = False, repr: bool = True) -> Callable[[type[T]], type[T]]:  # noqa: A002
    """Make a class a frozen dataclass that is legal by type: what is illegal is refused in a sentence."""

    def made(kind: type[T]) -> type[T]:
        whole = dataclass(frozen=True, kw_only=kw_only, repr=repr, config=STRICT)(kind)
        return cast(type[T], refusing_in_words(whole))

    return made


def refusing_in_words(kind: Any) -> Any:
    """Make a pydantic dataclass refuse what is illegal in a sentence of this project's, not in pydantic's text."""
    build = kind.__init__

    @wraps(build)
    def __init__(self: Any, *values: Any, **named: Any) -> None:  # noqa: N807
        in_words(lambda: build(self, *values, **named), kind)

    kind.__init__ = __init__
    return kind


def _differences(self: Any) -> str:
    shown = [
        f"{name}={value!r}"
        for name, field in type(self).__pydantic_fields__.items()
        if (value := getattr(self, name)) != field.get_default(call_default_factory=True)
    ]
    return f"{type(self).__name__}({', '.join(shown)})"


def registered(names: Mapping[str, Any]) -> tuple[type[Any], ...]:
    """The configurations that a module imports, in that order, each with a name: its imports are the list of them."""
    return tuple(
        kind
        for kind in names.values()
        if is_pydantic_dataclass(kind) and isinstance(getattr(kind, "name", None), str)
    )


def union(kinds: Iterable[type[Any]]) -> Any:
    """The type of a field that holds a configuration of any of these kinds, told apart by name."""
    return Annotated[Union[tuple(kinds)], Field(discriminator="name")]  # noqa: UP007 - made of a list
