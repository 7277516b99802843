"""An isolated method whose behaviour the first pixel of an image chooses, run by this interpreter."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

ADAPTER = """
import os, random, signal, socket, subprocess, sys, time
import numpy as np

class Network:
    def register_forward_pre_hook(self, hook):
        self.hook = hook
    def __call__(self):
        self.hook(self, ())

class Model:
    def __init__(self, scale, steps):
        self.scale, self.steps, self.network = scale, steps, Network()

    def restore(self, lr, seed):
        what = WHAT.get(int(lr[0, 0, 0]))
        if what:
            what()
        for _ in range(self.steps):
            self.network()
        output = lr.repeat(self.scale, 0).repeat(self.scale, 1).astype(int)
        noise = np.random.randint(0, 9, output.shape) + random.randrange(9)
        if lr[0, 0, 0] == 4:
            return output / 255
        if lr[0, 0, 0] == 5:
            return output[:-1].astype(np.uint8)
        return np.clip(output + noise, 0, 255).astype(np.uint8)

def hang():
    time.sleep(1000)

def fail():
    raise ValueError("cannot make\\nsense of it")

def leave():
    sys.exit("enough")

def garbage():
    os.write(int(sys.argv[2]), b"Loading weights... done\\n" * 4)

def fetch():
    socket.create_connection(("192.0.2.1", 80), timeout=5)

def complain_and_die():
    print("CUDA error: out of luck", file=sys.stderr, flush=True)
    os._exit(9)

def bear():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    print("child", child.pid, flush=True)

WHAT = {
    1: complain_and_die, 2: hang, 3: fail, 6: garbage, 7: fetch, 8: leave,
    9: lambda: os.kill(os.getpid(), signal.SIGSEGV), 10: bear, 11: lambda: print("to stdout", flush=True),
}

def load(source, weights, device, scale=4, steps=3, broken=False):
    if broken:
        raise RuntimeError("no such checkpoint")
    return Model(scale, steps)
"""

MANIFEST = """
id = "fake"
title = "An isolated method"
licence = "none"
scale = 4
stochastic = true

[environment]
kind = "isolated"
python = "{python}"
start_seconds = 60
image_seconds = 2

[variants.fake]
title = "Fake"
steps = 3
"""

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


def write_isolated(folder: Path, home: Path, *, adapter: str = ADAPTER, manifest: str = MANIFEST) -> Path:
    """Write the method in a folder of methods, and an environment that is this interpreter; returns that folder."""
    family = folder / "fake"
    family.mkdir(parents=True)
    (family / "adapter.py").write_text(adapter)
    (family / "method.toml").write_text(manifest.format(python=VERSION))
    lock = b"numpy\n"
    (family / "requirements.lock").write_bytes(lock)
    write_environment(home, lock)
    return folder


def write_environment(home: Path, lock: bytes) -> Path:
    """Write the environment of a lock file: a script that starts this interpreter."""
    environment = home / "environments" / f"python{VERSION}-{hashlib.sha256(lock).hexdigest()[:12]}"
    (environment / "bin").mkdir(parents=True, exist_ok=True)
    interpreter = environment / "bin" / "python"
    interpreter.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    interpreter.chmod(0o755)
    (environment / "ccsr-bench-ready").write_text("")
    return interpreter


def write_repository(folder: Path) -> str:
    """Write a git repository with one file, as official code comes in; returns its commit."""
    folder.mkdir()
    (folder / "model.py").write_text("changed = False\n")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "first")
    return git(folder, "rev-parse", "HEAD")


def git(folder: Path, *arguments: str) -> str:
    """Run git in a repository; returns what it prints."""
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    done = subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()
