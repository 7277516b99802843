"""What networks run on: batch sizes, memory, and how tensors lie in it."""
