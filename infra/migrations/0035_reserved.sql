-- owner: none | locks: none
-- Holds the number until its own migration takes it; replace this file.
select 1;
