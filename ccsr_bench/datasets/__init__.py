"""Test sets: manifests, samples, installation, and folders of outputs made elsewhere."""
