"""Whether a method got significantly worse.

`baseline` keeps a method's results in a file, `seed_noise` says how far results vary with their seeds, `compare` tests
two results, and `report` prints the comparison for people and machines.
"""
