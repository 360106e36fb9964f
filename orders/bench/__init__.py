"""The benchmark: what the product does beside the same work by hand (performance 1 and 2)."""

# Workloads of apps above this one, which it may not import: each says by its name, when it is
# ready, where its figures come from.
FURTHER: dict[str, str] = {}
