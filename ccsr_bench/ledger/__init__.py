"""Ledgers, each the record of one method on one data set: reading, writing, merging, and the results as arrays."""
