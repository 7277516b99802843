"""What runs in a method's own interpreter, started by `isolated`: Python 3.8 or newer with numpy."""
