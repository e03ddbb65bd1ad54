-- What a level of alertness rests on, as JSON, as on the wire; absent elsewhere.
ALTER TABLE labels ADD COLUMN signs TEXT;

-- Whether the label's track was the driver's.
ALTER TABLE labels ADD COLUMN driver BOOLEAN NOT NULL DEFAULT FALSE;
