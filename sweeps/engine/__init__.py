"""What a sweep decides and remembers, replayed from its record; it knows no Ray and no clock of its own."""
