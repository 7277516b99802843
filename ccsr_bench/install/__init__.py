"""Installing files of data sets, methods and metrics: hashing, verifying, downloading, copying and recording them."""
