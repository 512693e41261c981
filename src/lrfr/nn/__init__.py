"""Everything that needs torch, and no method in it: networks, batches, the one training loop, embedding."""
