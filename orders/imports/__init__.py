"""Orders brought in from files: a shop's own, and a recorded year replayed."""
