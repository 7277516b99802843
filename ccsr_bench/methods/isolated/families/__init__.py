"""What the adapters of several methods share; runs in those methods' own interpreters, as the adapters do."""
