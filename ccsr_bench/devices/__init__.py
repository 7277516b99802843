"""The device that runs networks: batch sizes, memory, and the memory layout of tensors."""
