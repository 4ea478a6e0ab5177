"""Sessions of a sweep: start or resume it, show its progress, and write its results at the end."""
