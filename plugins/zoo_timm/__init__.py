"""Every architecture of timm with every set of its published weights, as image classifiers."""
