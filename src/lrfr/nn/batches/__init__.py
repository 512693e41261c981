"""Face tables to training batches."""
