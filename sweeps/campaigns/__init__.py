"""Many sweeps under one budget: what is written down before the first run, and the campaign carried out."""
