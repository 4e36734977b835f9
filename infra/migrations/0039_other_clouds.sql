-- owner: scan | locks: scan.cloud_accounts, exclusively and briefly (columns without a rewrite, checks that are validated on a small table)
-- Accounts of Google Cloud, Azure and Kubernetes; see ADR-0040.
set local lock_timeout = '5s';

alter table scan.cloud_accounts
  drop constraint cloud_accounts_provider_check,
  drop constraint cloud_accounts_external_account_check,
  drop constraint cloud_accounts_auth_kind_check,
  drop constraint cloud_accounts_check1,
  add column identity_provider text check (length(identity_provider) <= 200),
  add column service_account text check (length(service_account) <= 300),
  add column tenant_id uuid,
  add column client_id uuid,
  add constraint cloud_accounts_provider_check check (provider in ('aws', 'gcp', 'azure', 'kubernetes')),
  add constraint cloud_accounts_external_account_check check (
    case provider
      when 'aws' then external_account ~ '^[0-9]{12}$'
      when 'gcp' then external_account ~ '^(projects/[a-z0-9.:-]{1,64}|(folders|organizations)/[0-9]{1,25})$'
      when 'azure' then external_account ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
      else length(external_account) between 1 and 253
    end),
  add constraint cloud_accounts_auth_kind_check check (
    case provider
      when 'aws' then auth_kind in ('static_key', 'role')
      when 'gcp' then auth_kind in ('workload_identity', 'service_account_key')
      when 'azure' then auth_kind in ('federated', 'client_secret')
      else auth_kind = 'report'
    end),
  add constraint cloud_accounts_secret check (
    (credentials_encrypted is not null) = (auth_kind in ('static_key', 'service_account_key', 'client_secret'))),
  add constraint cloud_accounts_google check (
    (auth_kind = 'workload_identity') = (identity_provider is not null)
    and (service_account is null or provider = 'gcp') and (auth_kind <> 'service_account_key' or service_account is not null)),
  add constraint cloud_accounts_azure check (
    (provider = 'azure') = (tenant_id is not null) and (client_id is null or provider = 'azure')
    and (auth_kind <> 'client_secret' or client_id is not null)),
  add constraint cloud_accounts_trust check (external_id is not null or auth_kind not in ('workload_identity', 'federated')),
  add constraint cloud_accounts_regions check (provider = 'aws' or regions = array['global']);
comment on column scan.cloud_accounts.external_account is
  'Account number of aws; `projects/…`, `folders/…` or `organizations/…` of gcp; subscription of azure; name of a cluster.';
comment on column scan.cloud_accounts.identity_provider is 'Of gcp without a key: the provider of a workload identity pool that trusts DriftWise.';
comment on column scan.cloud_accounts.service_account is 'Of gcp: the account that is acted as, or that the key belongs to; null for the pool''s principal.';
comment on column scan.cloud_accounts.tenant_id is 'Directory of an azure subscription.';
comment on column scan.cloud_accounts.client_id is 'Application or managed identity of azure; null until the customer has made it.';
comment on column scan.cloud_accounts.regions is
  'Regions of aws to scan, or `all` alone: those that are enabled in the account when a scan starts. `global` of other providers.';
grant insert (identity_provider, service_account, tenant_id, client_id),
  update (auth_kind, identity_provider, service_account, tenant_id, client_id, through) on scan.cloud_accounts to scan_work;
