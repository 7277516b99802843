"""Code that the adapters of several methods share; it runs in those methods' own interpreters, as adapters do."""
