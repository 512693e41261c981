"""The data card: what is in the benchmark, where it comes from and what it is for, for people and for machines."""
