-- Totals of labels seen under some conditions, from the index alone.
CREATE INDEX label_counts_by_sort ON label_counts (state, kind, conditions, labels);
