-- Looked at twice a second, however many were ever ordered.
CREATE INDEX purges_open ON purges (rig) WHERE rig_done = 0;
