-- owner: scan | locks: scan.scans, for a moment (a grant)
-- The id of a scan is made by the statement that inserts it: it follows that of the account's latest scan although a clock went back.
set local lock_timeout = '5s';

grant insert (id) on scan.scans to scan_work;
