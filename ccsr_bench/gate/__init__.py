"""Whether a method got worse, beyond chance.

What is kept of its results (`baseline`), how far chance reaches (`seed_noise`), the decision (`compare`), and what
people and machines are told of it (`report`).
"""
