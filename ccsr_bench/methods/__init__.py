"""Super-resolution methods.

`base` is the protocol that they follow; `manifest` describes them, `registry` and `objects` find them, `loading` loads
them, in our own process (`in_process`) or in one of their own (`isolated`).
"""
