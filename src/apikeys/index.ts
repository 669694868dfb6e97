export type {
  ApiKey,
  ApiKeyFilter,
  ApiKeyPage,
  ApiKeyStatus,
  ApiKeys,
  ApiKeyUpdate,
  BulkResult,
  By,
  CreatedApiKey,
  ImportedApiKey,
  KeyPolicy,
  NewApiKey,
  Rotation,
} from './api-key.ts'
export { type ApiKeysOptions, apiKeys } from './api-keys.ts'
export { type AuditMark, type AuditVerdict, verifyAudit } from './audit-chain.ts'
export type { Actor, AuditEntry, AuditEvent, AuditEventName, AuditQuery } from './audit-event.ts'
export { chainedHash, chainStart } from './audit-hash.ts'
export { type KeyFlaw, type ParsedKey, parseKey } from './format.ts'
export type { Pepper } from './hash.ts'
export type { HashAlgorithm, KeyEnvironment, KeyOwner, KeyRecord, KeyState } from './key-record.ts'
export type {
  Change,
  ChangeBatch,
  KeyChanges,
  KeyQuery,
  KeyStore,
  KeyUpdate,
  KeyUse,
  PruneCounts,
  PruneLimits,
  StoredRevocation,
} from './key-store.ts'
export { migrateKeyStore, type OpenKeyStoreOptions, openKeyStore } from './open-key-store.ts'
export { type ScanRules, scanRules } from './scan-rules.ts'
export { type MemoryKeyStoreOptions, memoryKeyStore } from './stores/memory.ts'
export type { MigrationReport } from './stores/migration.ts'
export { type PostgresKeyStoreOptions, postgresKeyStore } from './stores/postgres.ts'
export { type SqliteKeyStoreOptions, sqliteKeyStore } from './stores/sqlite.ts'
export { type StaleReason, staleReasons } from './view.ts'
