"""Models that turn curves into a few numbers and back; they know rows, not time or physics."""
