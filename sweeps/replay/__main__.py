"""The command line of replays; it also knows Optuna, which nothing else here does."""

import runpy

runpy.run_module("sweeps.replaying", run_name="__main__")
