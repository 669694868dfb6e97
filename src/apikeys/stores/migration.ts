import { sha256 } from '../../core/runtime.ts'

/** One step of a schema. Once released, it never changes again: what is wrong with it is put right by a later one. */
export interface Migration {
  /** 1, 2, 3, … */
  readonly version: number
  /** What it does, in a few words. */
  readonly name: string
  readonly sql: readonly string[]
}

/** What a database remembers of a migration. */
export interface AppliedMigration {
  readonly version: number
  readonly name: string
  /** Of the SQL as it was applied, in hex: what {@link checksum} gives. */
  readonly sha256: string
}

/** What was done to a schema, or would be. */
export interface MigrationReport {
  /** The version found; 0 for an empty database. */
  readonly from: number
  /** The version it has now, or would have. */
  readonly to: number
  /** In the order they are applied. */
  readonly steps: readonly Migration[]
}

/** How a database keeps its schema. Methods may be synchronous. */
export interface MigrationDialect {
  /** What has been applied, by version; nothing when the database is new. Changes nothing. */
  applied(): Promise<readonly AppliedMigration[]> | readonly AppliedMigration[]
  /**
   * In one transaction that no other process can have at the same time: asks `missing` with what has been applied,
   * applies what it answers, in order, and remembers that. What `missing` throws undoes it all.
   */
  upgrade(missing: (applied: readonly AppliedMigration[]) => readonly Migration[]): Promise<unknown> | unknown
}

/**
 * Brings a schema up to date. Any number of processes may do so at once.
 *
 * @param migrations all there are, by version
 * @param dryRun says what would be done, and does nothing
 * @throws Error saying what to do, when the schema was made by a newer version of this package, or is another one
 */
export async function migrate(
  dialect: MigrationDialect,
  migrations: readonly Migration[],
  dryRun = false,
): Promise<MigrationReport> {
  let report = reportOf(migrations, await dialect.applied())
  // Looking alone needs no lock, and most starts find nothing to do.
  if (dryRun || report.steps.length === 0) return report
  await dialect.upgrade((applied) => {
    report = reportOf(migrations, applied)
    return report.steps
  })
  return report
}

/**
 * Fails unless a schema is up to date, for those who do not want it changed at start.
 * @throws Error saying what to do
 */
export async function checkMigrated(
  dialect: MigrationDialect,
  migrations: readonly Migration[],
): Promise<void> {
  const { from, to } = reportOf(migrations, await dialect.applied())
  if (from < to) {
    throw new Error(
      `The key database has schema version ${from}, and this mcp-bearer needs ${to}; run \`mcp-bearer keys migrate\` first`,
    )
  }
}

/** SHA-256, in hex, of what a migration does. Its name does not count. */
export function checksum({ version, sql }: Migration): string {
  const sum = sha256(JSON.stringify([version, sql]))
  if (sum === undefined) throw new Error('A key database needs a runtime with node:crypto')
  return sum
}

function reportOf(migrations: readonly Migration[], applied: readonly AppliedMigration[]): MigrationReport {
  for (const [index, found] of applied.entries()) checkSame(migrations[index], found, migrations.length)
  return { from: applied.length, to: migrations.length, steps: migrations.slice(applied.length) }
}

/** Never goes on with a schema it does not know: what is in it would be read wrongly, or written where nobody looks. */
function checkSame(known: Migration | undefined, found: AppliedMigration, newest: number): void {
  if (known === undefined) {
    throw new Error(
      `The key database has schema version ${found.version}, and this mcp-bearer knows versions up to ${newest}; ` +
        'update mcp-bearer here, or restore the backup from before the database was migrated',
    )
  }
  if (known.version !== found.version || checksum(known) !== found.sha256) {
    throw new Error(
      `Migration ${found.version} of the key database is not the one this mcp-bearer has: it was changed after it was ` +
        'applied, or comes from another version; restore the table mcp_bearer_migrations, or use the version that made it',
    )
  }
}
