"""Labelled pictures: class folders, CSV manifests, folders without labels, published datasets by name."""
