"""Pictures with a class for every pixel: mask folders, Pascal VOC, COCO JSON."""
