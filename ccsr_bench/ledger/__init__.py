"""The record of one method on one data set: reading, writing, merging, and the arrays of results."""
