"""What several sources read alike: crops, photos, lists of images, pairs and detections, and the files of a dataset."""
