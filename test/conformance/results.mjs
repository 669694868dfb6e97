/** What the checks of a run come to. */

/**
 * The scenarios of one run, in the order of the set.
 *
 * @param requirements `{ scored, unscored }` of the set
 * @param found the checks by scenario
 */
export function scenariosOf({ scored, unscored }, found) {
  const all = [...scored.map((name) => ({ name })), ...unscored]
  return all.map(({ name, reason }) => {
    const checks = found.get(name) ?? []
    const count = (status) => checks.filter((check) => check.status === status).length
    const failures = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
    const [succeeded, failed, warned] = [count('SUCCESS'), count('FAILURE'), count('WARNING')]
    return {
      name,
      scored: reason === undefined,
      ...(reason !== undefined && { reason }),
      // No check at all is no success: the scenario did not run.
      passed: succeeded > 0 && failed === 0,
      succeeded,
      failed,
      warned,
      skipped: count('SKIPPED'),
      problems: failures.map(({ status, id, name: check, errorMessage }) => ({
        status,
        id,
        check,
        message: errorMessage,
      })),
      statuses: statusesOf(checks),
    }
  })
}

/**
 * Compares two runs of a set check by check.
 *
 * @returns one line for each check that came out differently, or that only one run has
 */
export function differences(one, other) {
  const found = []
  for (const scenario of one) {
    const twin = other.find(({ name }) => name === scenario.name)
    const keys = new Set([...Object.keys(scenario.statuses), ...Object.keys(twin.statuses)])
    for (const key of keys) {
      const [here, there] = [scenario.statuses[key] ?? 'absent', twin.statuses[key] ?? 'absent']
      if (here !== there) found.push(`${scenario.name}: ${key}: ${here} / ${there}`)
    }
  }
  return found
}

/** What each check came to. Some are made several times: then all of it, sorted, for messages may overtake each other. */
function statusesOf(checks) {
  const statuses = {}
  for (const { id, name, status } of checks) {
    const key = id === name ? id : `${id} ${name}`
    statuses[key] = [...(statuses[key]?.split(' ') ?? []), status].sort().join(' ')
  }
  return statuses
}
