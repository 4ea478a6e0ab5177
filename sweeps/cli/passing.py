"""The commands that other packages carry out, whose own parsers read their options."""

from importlib import import_module

import click

PASSED_ON: dict[str, tuple[str, tuple[str, ...], str]] = {
    "report": (
        "analysis.__main__",
        ("report",),
        "Write one self-contained page about a sweep, its tables and figures.",
    ),
    "store": ("sweeps.store.__main__", (), "Check, fold, export or mirror a result store."),
    "replay": (
        "sweeps.replay.command",
        (),
        "Measure on recorded curves what other stoppers and searches would have cost and lost.",
    ),
    "evaluate": ("contrastive.__main__", ("evaluate",), "Measure what a trained encoder is worth."),
    "download": ("contrastive.__main__", ("download",), "Fetch a public data set."),
}
"""By name the module whose `main` carries the command out, the words that go before, and what it does."""


def passed_on(name: str) -> click.Command:
    """The command of that name, which hands its words on."""
    module, first, about = PASSED_ON[name]

    @click.command(name, help=about, add_help_option=False, context_settings={"ignore_unknown_options": True})
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    def command(words: tuple[str, ...]) -> int:
        return import_module(module).main([*first, *words], "sweeps" if first else f"sweeps {name}")

    return command
