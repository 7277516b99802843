"""What the command line does, as functions that take strings and paths; `ccsr_bench` itself exports them."""
