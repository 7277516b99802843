"""The device that runs networks: batch sizes, memory, threads, and the memory layout of tensors."""
