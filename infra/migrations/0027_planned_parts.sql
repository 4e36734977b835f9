-- owner: analyze | locks: analysis.analyses and analysis.pull_request_comments, briefly (new columns without a rewrite, an index)
-- A pull request may be planned in several parts, each shown by its latest analysis; see ADR-0023.
set local lock_timeout = '5s';

alter table analysis.analyses
  add column project   text not null default '' check (length(project) <= 200),
  add column directory text not null default '' check (length(directory) <= 300),
  add column workspace text not null default '' check (length(workspace) <= 200);
comment on column analysis.analyses.directory is 'Which part of the repository was planned, with `project` and `workspace`; empty for the only one.';
grant insert (project, directory, workspace) on analysis.analyses to analyze_work;
create index analyses_parts on analysis.analyses
  (org_id, lower(repository), pull_request, project, directory, workspace, created_at desc, id desc)
  where pull_request is not null;

alter table analysis.pull_request_comments
  add column handled_ids uuid[] not null default '{}' check (cardinality(handled_ids) <= 100);
comment on column analysis.pull_request_comments.handled_ids is 'The latest analyses whose own turn is over, so that a message that comes again does nothing.';
grant update (handled_ids) on analysis.pull_request_comments to analyze_work;
