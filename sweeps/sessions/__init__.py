"""One sitting with a sweep: begun or resumed, shown while it runs, and what is written at its end."""
