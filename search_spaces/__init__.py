"""Spaces of configurations, as data: what varies around a base, in which range, by which source.

Example:
    >>> from search_spaces import SPACES
    >>> list(SPACES["sce_temperatures"].domains)
    ['method.temperature', 'method.target_temperature']
"""

from typing import TYPE_CHECKING

from contrastive import lazy

if TYPE_CHECKING:
    from search_spaces.campaign import Campaign as Campaign
    from search_spaces.campaign import Entry as Entry
    from search_spaces.campaigns import CAMPAIGNS as CAMPAIGNS
    from search_spaces.conditional import When as When
    from search_spaces.domains import Choice as Choice
    from search_spaces.domains import Domain as Domain
    from search_spaces.domains import Integer as Integer
    from search_spaces.domains import LogUniform as LogUniform
    from search_spaces.domains import Uniform as Uniform
    from search_spaces.domains import Zip as Zip
    from search_spaces.fitting import based_on as based_on
    from search_spaces.laptop import laptop as laptop
    from search_spaces.named import FILES as FILES
    from search_spaces.named import SPACES as SPACES
    from search_spaces.named import by_name as by_name
    from search_spaces.parts import Alternative as Alternative
    from search_spaces.parts import Less as Less
    from search_spaces.parts import Reference as Reference
    from search_spaces.parts import Reported as Reported
    from search_spaces.space import Space as Space

lazy.publish(__name__)
