"""Replays for people: the command line, and searches of a recorded sweep's arms by Optuna's samplers."""
