import { memoryKeyStore } from '../../apikeys/index.ts'
import type { TokenVerifier } from '../../core/index.ts'
import type { GatewayFile } from '../../gateway/file/gateway-document.ts'
import { readGatewayFile } from '../../gateway/file/gateway-file.ts'
import { type GatewayCounts, gatewayCounts } from '../../gateway/front/counts.ts'
import { identityAssertion } from '../../gateway/front/identity.ts'
import { type Gateway, gateway } from '../../gateway/gateway.ts'
import type { PolicyDocument } from '../../gateway/policy/policy-document.ts'
import { gatewayPolicy } from '../../gateway/policy/policy-engine.ts'
import type { RequestEntry } from '../../gateway/request-entry.ts'
import { ECKeyPair } from '../../issuer/index.ts'
import { listenAddress } from '../../server/listen.ts'
import { UsageError } from '../command.ts'
import { type Address, addressOf, addressText, isLocal } from './address.ts'
import type { Flags } from './flags.ts'
import { identityKey } from './identity-key.ts'
import { checkKeys, type GatewayKeys, type KeysPlace, keysPlace, openKeys } from './keys.ts'
import { type GatewayLog, gatewayLog } from './log.ts'
import { inWordsOfTheLine } from './option-words.ts'
import { policyDocument } from './policy.ts'
import { type Reader, type Settings, settingsOf } from './settings.ts'
import { type Behind, upstreamOf } from './upstreams.ts'
import { type GatewayVerifier, verifierOf } from './verifiers.ts'

/** A gateway with all its parts, which does not listen yet. */
export interface Assembly {
  readonly settings: Settings
  /** As it is, for comparison with what it becomes. */
  readonly file: GatewayFile
  readonly policy: PolicyDocument | undefined
  readonly address: Address
  /** Nobody asked for this port: another one does as well. */
  readonly isUsualAddress: boolean
  readonly metrics: Address | undefined
  readonly behind: Behind
  readonly place: KeysPlace | undefined
  readonly keys: GatewayKeys | undefined
  readonly gateway: Gateway
  readonly counts: GatewayCounts
  readonly log: GatewayLog
  close(): Promise<void>
}

const usualAddress = '127.0.0.1:8000'

/**
 * Reads everything and makes every part, so that what is wrong is said at once and all together.
 *
 * @param isCheck makes no file and opens no database for good
 * @throws UsageError, or the one error there is
 */
export async function assemble(flags: Flags, reader: Reader, isCheck: boolean): Promise<Assembly> {
  const file = flags.values.config === undefined ? {} : await readGatewayFile(flags.values.config)
  const settings = await settingsOf(file, flags, reader)
  const log = gatewayLog(settings.log ?? (process.stderr.isTTY ? 'text' : 'json'), reader.terminal)
  const trying = attempts()
  const address = await trying.run(() => endpointOf(settings))
  const metrics = await trying.run(() => optional(settings.metrics, (text) => addressOf('--metrics', text)))
  const writtenUrl = flags.url ?? file.url
  const behind = await trying.run(() => upstreamOf(settings, writtenUrl, reader, log.logger))
  const policy = await trying.run(() => policyDocument(file.policy, flags.values))
  const judge = await trying.run(() => optional(policy, gatewayPolicy))
  const identity = await trying.run(() => identityOf(settings, behind, isCheck, log))
  let made: Gateway | undefined
  const counts = gatewayCounts({
    mcp_gateway_streams: { help: 'Streams that are open.', value: () => made?.openStreams ?? 0 },
    ...behind?.gauges,
  })
  // Last: opening a database may make it, and that only for a gateway that can start.
  const callers = await callersOf(settings, trying, isCheck, log, counts)
  made = await trying.run(() =>
    optional(behind && callers.verifier && { ...behind, ...callers.verifier }, ({ upstream, verifier }) =>
      gateway({
        ...gatewayOptions(settings, callers, log, counts),
        upstream,
        auth: verifier,
        policy: judge,
        ...identity,
      }),
    ),
  )
  const { place, keys, verifier } = callers
  const close = () => closeAll(made, behind, verifier, keys)
  if (trying.hasFailed || !made || !address || !behind) {
    await close()
    throw trying.failure()
  }
  const isUsualAddress = settings.listen === undefined
  const parts = { settings, file, policy, address, isUsualAddress, metrics, behind, place, keys }
  return { ...parts, gateway: made, counts, log, close }
}

/** Where it listens; what it is called there is looked at as well. */
function endpointOf({ listen = usualAddress, path, http: { resource } = {} }: Settings): Address {
  const address = addressOf('--listen', listen)
  listenAddress({ ...address, ...(path !== undefined && { path }) })
  // Without an authorization server nobody but people reads it.
  if (resource !== undefined && !/^https?:\/\/[^/?#]/i.test(resource)) {
    throw new UsageError('--resource must be the URL that clients use, such as https://mcp.example.com/mcp')
  }
  return address
}

/** All that takes no part of its own. */
function gatewayOptions(
  { http: { resource, ...http } = {}, auth, limits }: Settings,
  { verifier, keys }: Callers,
  log: GatewayLog,
  counts: GatewayCounts,
) {
  const { apiKeyHeader } = auth ?? {}
  const servers: TokenVerifier['authorizationServers'] = verifier?.verifier.authorizationServers ?? []
  // Whoever guesses keys at several gateways of one database has as many attempts as at one.
  const isShared = keys?.isShared === true && limits?.failuresPerMinute !== 0
  return {
    http: {
      ...http,
      // It leads clients to the authorization server; where there is none, it is only what people are shown.
      ...(resource !== undefined && servers.length > 0 && { resource }),
      ...(apiKeyHeader !== undefined && { apiKeyHeader }),
    },
    ...((limits || isShared) && { limits: { ...limits, ...(isShared && { shared: keys.store }) } }),
    onRequest: (entry: RequestEntry) => {
      counts.onRequest(entry)
      log.onRequest(entry)
    },
    logger: log.logger,
  }
}

type Callers = Awaited<ReturnType<typeof callersOf>>

/** Who may call. Where only looked at, an empty database stands for that of the keys. */
async function callersOf(
  { auth = {} }: Settings,
  trying: Attempts,
  isCheck: boolean,
  { logger }: GatewayLog,
  { onEvent }: GatewayCounts,
) {
  const place = await trying.run(() => keysPlace(auth))
  const keys = await trying.run(() => optional(place, (found) => keysOf(found, isCheck || trying.hasFailed)))
  const store = place && (keys?.store ?? memoryKeyStore())
  // The operator wrote the addresses down: private ones are meant.
  const environment = { logger, onEvent, allowPrivateNetwork: true }
  const verifier = await trying.run(() => verifierOf(auth, store, environment))
  return { place, keys, verifier }
}

function optional<T, R>(value: T | undefined, make: (value: T) => R): R | undefined {
  return value === undefined ? undefined : make(value)
}

async function keysOf(place: KeysPlace, isCheck: boolean): Promise<GatewayKeys | undefined> {
  if (!isCheck) return openKeys(place)
  await checkKeys(place)
  return undefined
}

async function identityOf(settings: Settings, behind: Behind | undefined, isCheck: boolean, log: GatewayLog) {
  const { identity, http } = settings
  if (identity?.mode !== 'jwt') {
    if (identity?.keyFile !== undefined) throw new UsageError('--identity-key is for --identity jwt')
    return undefined
  }
  const keyPair = await identityKey(identity.keyFile, !isCheck, log.logger)
  const assertion = identityAssertion({
    keyPair: keyPair ?? (await ECKeyPair.generate()),
    issuer: identity.issuer ?? http?.resource ?? 'mcp-bearer-gateway',
    audience: identity.audience ?? behind?.audience ?? '',
    ...(identity.header !== undefined && { header: identity.header }),
  })
  return { identity: assertion }
}

/** From the door inwards. */
async function closeAll(
  made: Gateway | undefined,
  behind: Behind | undefined,
  verifier: GatewayVerifier | undefined,
  keys: GatewayKeys | undefined,
): Promise<void> {
  await (made ?? behind?.upstream)?.close()
  await verifier?.close()
  await keys?.store.close()
}

/** Goes on after a failure, to find the others. */
interface Attempts {
  readonly hasFailed: boolean
  run<T>(make: () => T | Promise<T>): Promise<T | undefined>
  /** The failure, or all of them. */
  failure(): unknown
}

function attempts(): Attempts {
  const failures: unknown[] = []
  return {
    get hasFailed() {
      return failures.length > 0
    },
    async run<T>(make: () => T | Promise<T>): Promise<T | undefined> {
      try {
        return await make()
      } catch (error) {
        failures.push(inWordsOfTheLine(error))
        return undefined
      }
    },
    failure(): unknown {
      const [first, ...others] = failures
      if (others.length === 0) return first
      // The first line of each: what is usage comes behind.
      const messages = failures.map((error) => `  ${(error as Error).message.split('\n', 1)[0]}`)
      return new UsageError(`${failures.length} things are wrong:\n${messages.join('\n')}`)
    },
  }
}

/** What an operator should know of a gateway that would work as it is. */
export function warningsOf({ address, metrics, settings, place, keys }: Assembly): string[] {
  const { resource } = settings.http ?? {}
  return [
    ...(isLocal(address) || resource?.startsWith('https:')
      ? []
      : [
          `${addressText(address)} can be reached by others, and tokens cross the network in the clear: put a proxy with TLS in front, listen on 127.0.0.1, and give --resource https://… and --trust-proxy 1`,
        ]),
    ...(metrics === undefined || isLocal(metrics)
      ? []
      : [`whoever reaches ${addressText(metrics)} can read the metrics`]),
    ...(keys?.problem === undefined
      ? []
      : [`the keys are in memory, and gone when this ends: ${place?.name} cannot be used: ${keys.problem}`]),
  ]
}
