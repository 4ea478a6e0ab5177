"""Pages of the site that are read off the code, so that what is added there appears here."""

from generated import api, commands, kinds, methods, spaces


def pages() -> dict[str, str]:
    """The Markdown of every generated page, by its path in the site."""
    return {**methods.pages(), **spaces.pages(), **kinds.pages(), **commands.pages(), **api.pages()}
