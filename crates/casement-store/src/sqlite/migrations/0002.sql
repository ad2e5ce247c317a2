-- Claims that end are found by their end, so that they can be swept.

CREATE INDEX claim_expires
    ON claim (workspace, expires_ms)
    WHERE expires_ms IS NOT NULL;
