"""What can be seen of a sweep from outside, while it runs or later; all but an export without torch and Ray."""
