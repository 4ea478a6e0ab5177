from search_spaces.domains import Choice, Integer, LogUniform, Uniform, Zip
from sweeps.sessions.describe import in_short


def test_domains_are_said_in_words() -> None:
    domains = [
        Integer(1, 8, source="x", logarithmic=True),
        Zip(((0.1, 0.05), (0.2, None)), source="x"),
        Uniform(-1.0, 2.0, source="x"),
        LogUniform(0.01, 10.0, source="x"),
        Choice(("a", None, 3), source="x"),
    ]
    assert [in_short(domain) for domain in domains] == [
        "whole numbers from 1 to 8, logarithmic",
        "one of 0.1 with 0.05, 0.2 with None",
        "-1.0 to 2.0",
        "0.01 to 10.0, logarithmic",
        "one of a, None, 3",
    ]
