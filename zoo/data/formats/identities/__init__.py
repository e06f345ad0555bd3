"""Pictures by identity: one folder a person or thing, and pairs to verify."""
