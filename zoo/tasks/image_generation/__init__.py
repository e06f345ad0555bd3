"""Pictures made of noise."""
