"""Running sweeps. Empty on purpose: `sweeps.store` is read where neither torch nor Ray is installed."""
