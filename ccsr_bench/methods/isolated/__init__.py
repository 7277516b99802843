"""Methods that run official code, each in a separate process and environment."""
