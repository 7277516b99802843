"""The contents of plots and pictures, computed once for the figures of a paper and for the report, which draw them."""
