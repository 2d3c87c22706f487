"""Studies: functions on arrays and data sets that return result objects; they print nothing."""
