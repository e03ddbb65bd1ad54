-- Labels go a few hundred at a time: 0 while some may be left. Whoever gives the order again goes on with it.
ALTER TABLE purges ADD COLUMN labels_done BIGINT NOT NULL DEFAULT 1 CHECK (labels_done IN (0, 1));
