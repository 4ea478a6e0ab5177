"""From the result store to tables and figures; needs neither torch nor Ray."""
