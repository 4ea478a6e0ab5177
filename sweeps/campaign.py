"""The command line of campaigns: `python sweeps/campaign.py NAME`, many sweeps under one budget."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

# As a script, this folder would come first on the path and hide other packages behind its module names.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

from sweeps import run  # noqa: E402
from sweeps.cli import flags  # noqa: E402

EPILOG = """\
examples
  python sweeps/campaign.py --list                                 the campaigns that have a name
  python sweeps/campaign.py papers_laptop --dry-run                its sweeps, what will be tested, what it will take
  python sweeps/campaign.py papers_laptop --budget hours=8
  python sweeps/campaign.py papers_cifar --data cifar10:PATH --address auto
  python sweeps/campaign.py my_campaign.py:MINE
  python sweeps/campaign.py --status ID
  python sweeps/campaign.py --resume ID                            after Ctrl-C, a crash, or with a larger --budget
  python sweeps/campaign.py --stop ID

Before its first run a campaign writes STORE/campaigns/ID/campaign.json: the plan of every sweep and each difference
that will be tested. All sweeps share one cluster; each has its own folder, as if it had been run by itself, and
`sweeps --status`, --tail and --sql read them. Exit codes are those of `sweeps`.
"""


def parser() -> argparse.ArgumentParser:
    """All flags of campaigns."""
    p = argparse.ArgumentParser(
        prog="campaign",
        description="Many sweeps under one budget, on one cluster, with what will be tested written down first.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    p.add_argument("campaign", nargs="?", metavar="NAME", help="a named campaign, or FILE.py:VARIABLE")
    p.add_argument("--data", metavar="DATA", help="images of the sweeps that name none")
    p.add_argument("--budget", metavar="LIMIT=N,...", help="of all together: runs, epochs, hours, gpu_hours")
    p.add_argument("--list", action="store_true", help="print the campaigns that have a name")
    p.add_argument("--dry-run", action="store_true", help="print sweeps, comparisons and cost; run nothing")
    for name, words in (
        ("status", "where a campaign stands"),
        ("resume", "go on with a campaign"),
        ("stop", "end it"),
    ):
        p.add_argument(f"--{name}", metavar="ID", help=words)
    flags.add_places(p)
    p.add_argument("--fail-fast", action="store_true", help="end a sweep of it at its first failure")
    p.add_argument("--retry-failed", action="store_true", help="with --resume: failed runs again")
    p.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return p


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns its exit code."""
    given = parser().parse_args(arguments)

    def work() -> int:
        from sweeps.campaigns import run as programme

        return programme.dispatch(given)

    return run.guarded("campaign", work)


if __name__ == "__main__":
    sys.exit(main())
