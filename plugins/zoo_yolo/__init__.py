"""An anchor-free YOLO, written from the papers, in three sizes."""
