-- owner: none | locks: none
-- Holds the number until the addresses of directories take it; replace this file.
select 1;
