"""Networks that translate faces from high to low resolution, and what all their trainings have in common."""
