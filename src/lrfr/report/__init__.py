"""The report site: results read, turned into tables, figures and face sheets, and laid out by one template."""
