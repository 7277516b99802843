"""The CCSR paper's tables: their printed numbers, the methods of their rows, and their contradictions."""
