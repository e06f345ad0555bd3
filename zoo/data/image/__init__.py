"""Pictures: reading, preprocessing, augmenting and postprocessing them."""
