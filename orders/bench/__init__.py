"""The benchmark: what the product does beside the same work by hand (performance 1 and 2)."""
