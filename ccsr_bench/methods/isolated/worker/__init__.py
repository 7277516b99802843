"""The code that runs in a method's own interpreter, Python 3.8 or newer with numpy; `isolated.host` starts it."""
