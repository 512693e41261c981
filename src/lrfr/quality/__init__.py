"""How good the data is: what the tables must meet, and how far synthetic faces are from native ones."""
