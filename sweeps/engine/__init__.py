"""Decisions and state of a sweep, replayed from its record; independent of Ray and of the system clock."""
