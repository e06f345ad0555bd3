"""FaceNet: faces, and anything else that has an identity, as points that lie near each other."""
