"""Super-resolution methods.

`base` defines their interface, `manifest` describes them, `registry` and `objects` find them, and `loading` loads them,
either in the process of ccsr-bench (`in_process`) or in a separate process (`isolated`).
"""
