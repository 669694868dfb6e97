import type { AuthErrorCode } from '../core/index.ts'
import type { Severity } from '../inspector/probe/finding.ts'

/** Exit codes that are not about authentication. */
export const exitCode: Readonly<Record<'ok' | 'failed' | 'usage', number>> = { ok: 0, failed: 1, usage: 2 }

/** After Ctrl-C. What shells make of SIGINT: 128 and the number of the signal. */
export const interruptedExit = 130

/** The exit code for each {@link AuthErrorCode}; scripts can tell a refused token from an outage. */
export const authExitCodes: Readonly<Record<AuthErrorCode, number>> = Object.freeze({
  unauthorized: 10,
  invalid_token: 11,
  insufficient_scope: 12,
  access_denied: 13,
  invalid_request: 14,
  forbidden_origin: 15,
  token_unavailable: 16,
  origin_mismatch: 17,
  rate_limited: 20,
  verifier_unavailable: 21,
  server_error: 22,
})

/** The exit code of `mcp-bearer probe` for the worst finding, where `--fail-on` asks for one: the worse, the higher. */
export const probeExitCodes: Readonly<Record<Severity, number>> = Object.freeze({
  note: 29,
  minor: 30,
  serious: 31,
  critical: 32,
})
