"""What is written for people: text tables, pages and sentences from the results of studies."""
