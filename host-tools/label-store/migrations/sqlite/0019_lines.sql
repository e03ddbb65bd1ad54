-- Lines: what a verdict on one is expected to take. As with boxes and points the figures are assumptions until measured ones
-- replace them; a contour has more points to put right.
INSERT INTO review_seconds (kind, accept_s, fix_s) VALUES
    ('polyline-left-eyelid', 5, 40), ('polyline-right-eyelid', 5, 40), ('polyline-face-outline', 5, 60);
