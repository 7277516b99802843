"""Data sets: their manifests, samples and installation, and folders of outputs that were made elsewhere."""
