"""The real lane: the product as processes, killed, frozen, flushed and restarted (FT-…)."""
