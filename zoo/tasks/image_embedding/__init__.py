"""A picture as a point: pictures of one identity lie near each other, those of two far apart."""
