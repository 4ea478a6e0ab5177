"""`python -m sweeps.replay` comes here."""

import sys

from sweeps.replaying.command import main

sys.exit(main())
