"""What every method and every metric must pass."""
