"""FaceNet: embeddings of faces, and of anything else that has an identity."""
