"""Trained parameters: where they come from, how they are fetched and proved, how they enter a model."""
