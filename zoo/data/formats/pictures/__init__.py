"""One picture file: decoded, and looked into before anybody trains on it."""
