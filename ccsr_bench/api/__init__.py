"""The Python API: the functions of the command line, for strings and paths; `ccsr_bench` exports them."""
