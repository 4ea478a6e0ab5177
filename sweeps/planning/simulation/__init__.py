"""Simulation of a sweep under a stopper, on recorded or synthetic curves and a simulated clock."""
