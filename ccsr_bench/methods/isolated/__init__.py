"""Methods that run their authors' code, each in a process and an environment of its own."""
