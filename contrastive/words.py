"""Pydantic's errors in this project's words: where, what was given, what is allowed."""

import difflib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from contrastive.kinds import fields, path_of

T = TypeVar("T")

WHOLE, REAL, LIST = "a whole number (an integer)", "a number", "a list, such as [1, 2]"
FIELDS = "fields, as in {{...}}"
WANTED: Mapping[str, str] = {
    "greater_than": "a number greater than {gt}",
    "greater_than_equal": "a number greater than or equal to {ge}",
    "less_than": "a number less than {lt}",
    "less_than_equal": "a number less than or equal to {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "finite_number": "a finite number",
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float"), WHOLE),
    **dict.fromkeys(("float_type", "float_parsing"), REAL),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("tuple_type", "list_type", "set_type"), LIST),
    **dict.fromkeys(("dict_type", "mapping_type", "dataclass_type", "model_type"), FIELDS),
    **dict.fromkeys(("string_type", "path_type"), "a text"),
    "string_too_short": "a text of at least {min_length} characters",
    "string_pattern_mismatch": "a text of the form {pattern}",
    "too_short": "at least {min_length} of them, got {actual_length}",
    "too_long": "at most {max_length} of them, got {actual_length}",
    "none_required": "null",
    "literal_error": "one of {expected}",
    "enum": "one of {expected}",
    "union_tag_invalid": "a name that exists: one of {expected_tags}",
    "union_tag_not_found": "its name among the fields",
}
"""Value that a field accepts, by pydantic's kind of finding."""
PLAIN: Mapping[str, str] = {
    **dict.fromkeys(("missing", "missing_argument", "missing_keyword_only_argument"), "has to be given"),
    **dict.fromkeys(("unexpected_keyword_argument", "extra_forbidden"), "there is no such field"),
}


OTHERS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("bayes", "bayesian", "bayesopt", "bo"), ("tpe", "gp")),
    **dict.fromkeys(("optuna", "hyperopt"), ("tpe",)),
    **dict.fromkeys(("gaussian", "gaussian_process", "gpr", "skopt"), ("gp",)),
    **dict.fromkeys(("cma", "cma_es"), ("cmaes",)),
    **dict.fromkeys(("evolution", "genetic", "nsga"), ("nsga2", "nsga3")),
    **dict.fromkeys(("sobol", "halton", "quasi_random"), ("qmc",)),
    **dict.fromkeys(("random_search", "randomsearch"), ("random",)),
    **dict.fromkeys(("grid_search", "gridsearch", "factorial"), ("grid",)),
    **dict.fromkeys(("ablation", "ablate", "loo", "listed"), ("leave_one_out",)),
    **dict.fromkeys(("ofat", "oat", "around"), ("one_at_a_time",)),
    "added": ("add_one_in",),
    **dict.fromkeys(("sha", "successive_halving", "halving"), ("asha", "hyperband")),
    "bohb": ("hyperband",),
    **dict.fromkeys(("fifo", "off", "no", "nothing"), ("none", "never")),
    **dict.fromkeys(("percentile", "patient", "wilcoxon"), ("optuna",)),
}
"""Names in other tools and papers, with the names here."""


def in_words(build: Callable[[], T], kind: Any = None) -> T:
    """Return the result of `build`; a pydantic finding becomes one sentence with path, value and allowed values.

    `kind`: type that is built, by which paths are named as users type them.

    Raises:
        ValueError: that sentence.
    """
    try:
        return build()
    except ValidationError as error:
        findings = error.errors(include_url=False)
        raise ValueError("; ".join(_sentence(finding, kind) for finding in findings)) from None


def closest(name: str, names: list[str]) -> str:
    """Return a sentence that lists the legal names, the likeliest first."""
    meant = OTHERS.get(name.lower().replace("-", "_"), ())
    near = [one for one in meant if one in names] or difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    return f"{hint}There is: {', '.join(names)}."


def _sentence(finding: ErrorDetails, kind: Any) -> str:
    path, owner = path_of(finding["loc"], kind)
    given, message = finding["input"], _message(finding, owner)
    missing = finding["type"].startswith("missing")
    shown = not missing and isinstance(given, str | int | float | bool | list | None)
    return f"{path} = {given!r}: {message}" if path and shown else f"{path}: {message}" if path else message


def _message(finding: ErrorDetails, owner: Any) -> str:
    """Return the allowed values; messages of the project's own checks are kept."""
    kind, about = finding["type"], finding.get("ctx", {})
    if kind in ("value_error", "assertion_error"):
        return str(about.get("error", "")) or finding["msg"]
    if kind in PLAIN:
        known = fields(owner) if kind in ("unexpected_keyword_argument", "extra_forbidden") else []
        return f"{PLAIN[kind]}{'. ' + closest(str(finding['loc'][-1]), known) if known else ''}"
    return f"wants {WANTED[kind].format(**about)}" if kind in WANTED else "is nothing that it can be"
