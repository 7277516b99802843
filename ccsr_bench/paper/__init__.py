"""The CCSR paper's tables as facts: what they print, which method a row is, and where they contradict themselves."""
