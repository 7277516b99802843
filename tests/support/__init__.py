"""What several tests need: they import it from here, never from each other."""
