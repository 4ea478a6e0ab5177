"""The command line: flags and what they mean, and what is printed of a space, a sweep or a store."""
