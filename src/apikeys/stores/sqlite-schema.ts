import type { Migration } from './migration.ts'

/**
 * The schema, from the first version on. Times are milliseconds since 1970.
 *
 * Keys and events are tables with a row id, and only their indexes are in the order of random ids: new rows are then
 * written at the end of the file and not all over it, which makes bulk creation twice as fast at a million keys. Columns
 * that few keys have, and lineages of one key, are left out of the indexes for the same reason.
 */
export const sqliteMigrations: readonly Migration[] = [
  {
    version: 1,
    name: 'keys, revocations, changes, audit, counters',
    sql: [
      `create table mcp_bearer_keys (
  id text not null primary key,
  lineage_id text not null,
  prefix text not null,
  env text not null,
  hash blob not null,
  hash_alg text not null,
  imported integer not null,
  name text not null,
  owner_type text,
  owner_id text not null,
  tenant_id text,
  client_id text not null,
  scopes text not null,
  audiences text,
  tools text,
  ip_allow text,
  rate_limit integer,
  usage_limit integer,
  usage_left integer,
  metadata text not null,
  enabled integer not null,
  state text not null,
  not_before integer,
  expires_at integer,
  grace_ms integer,
  replaced_by text,
  revoked_at integer,
  revoked_by text,
  revoke_reason text,
  first_used_at integer,
  last_used_at integer,
  last_used_ip text,
  use_count integer not null,
  created_at integer not null,
  created_by text,
  updated_at integer not null,
  rev integer not null
) strict`,
      'create index mcp_bearer_keys_owner on mcp_bearer_keys (owner_id, id)',
      'create index mcp_bearer_keys_tenant on mcp_bearer_keys (tenant_id, id) where tenant_id is not null',
      'create index mcp_bearer_keys_lineage on mcp_bearer_keys (lineage_id, id) where lineage_id <> id',
      `create table mcp_bearer_revocations (
  name text not null primary key,
  kind text not null,
  cut_off real,
  until integer
) strict, without rowid`,
      `create table mcp_bearer_changes (
  seq integer primary key,
  at integer not null,
  topic text not null,
  ref text not null
) strict`,
      `create table mcp_bearer_audit (
  seq integer primary key,
  at integer not null,
  event text not null,
  outcome text not null,
  key_id text,
  lineage_id text,
  actor_id text,
  data text not null,
  hash text not null
) strict`,
      'create index mcp_bearer_audit_at on mcp_bearer_audit (at)',
      'create index mcp_bearer_audit_key on mcp_bearer_audit (key_id) where key_id is not null',
      'create index mcp_bearer_audit_lineage on mcp_bearer_audit (lineage_id) where lineage_id is not key_id',
      `create table mcp_bearer_counters (
  bucket text not null primary key,
  level real not null,
  at integer not null
) strict, without rowid`,
      // Numbers are never given twice, and the chain of events goes on, also when all rows were pruned.
      `create table mcp_bearer_state (
  only integer not null primary key check (only = 1),
  change_seq integer not null,
  pruned_seq integer not null,
  audit_seq integer not null,
  audit_hash text not null
) strict, without rowid`,
      `insert into mcp_bearer_state values (1, 0, 0, 0, '${'0'.repeat(64)}')`,
    ],
  },
  {
    version: 2,
    name: 'uses by day',
    sql: [
      // Days are counted from the first one of 1970. They come first: all that is counted today lies together, and all that
      // is too old at the beginning.
      `create table mcp_bearer_uses (
  day integer not null,
  key_id text not null,
  count integer not null,
  primary key (day, key_id)
) strict, without rowid`,
    ],
  },
]

/** Where a database remembers which of them were applied. */
export const sqliteMigrationsTable = `create table if not exists mcp_bearer_migrations (
  version integer not null primary key,
  name text not null,
  sha256 text not null,
  applied_at integer not null
) strict, without rowid`
