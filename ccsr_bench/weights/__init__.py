"""Files of weights of methods and metrics: their formats, and reading them without executing code in them."""
