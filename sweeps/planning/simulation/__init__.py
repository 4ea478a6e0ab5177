"""Recorded or made-up curves under a simulated clock: what a stopper leaves of a sweep."""
