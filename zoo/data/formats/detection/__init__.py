"""Pictures with boxes: COCO JSON, Pascal VOC XML, YOLO text files."""
