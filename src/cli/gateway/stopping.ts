import { interruptedExit } from '../exit-codes.ts'

/** What shells make of a signal: 128 and its number. */
const exits = { SIGINT: interruptedExit, SIGTERM: 143, SIGHUP: 129 } as const

type StopSignal = keyof typeof exits

/** Waits for the signals that end a server, until it is disposed of. */
export interface Stopping extends Disposable {
  /** Resolves with the first one. */
  readonly asked: Promise<StopSignal>
  /** Resolves with the second one, as an exit code: whoever sends it does not want to wait. */
  readonly insisted: Promise<number>
}

/**
 * Listens for SIGINT and SIGTERM.
 * @param onHangUp what SIGHUP does. Default: it asks to stop, because the terminal is gone
 */
export function stopping(onHangUp: (() => void) | undefined): Stopping {
  let ask: (signal: StopSignal) => void
  let insist: (exit: number) => void
  const asked = new Promise<StopSignal>((resolve) => {
    ask = resolve
  })
  const insisted = new Promise<number>((resolve) => {
    insist = resolve
  })
  let isAsked = false
  const stop = (signal: StopSignal) => {
    if (isAsked) insist(exits[signal])
    isAsked = true
    ask(signal)
  }
  const listeners: readonly [StopSignal, () => void][] = [
    ['SIGINT', () => stop('SIGINT')],
    ['SIGTERM', () => stop('SIGTERM')],
    ['SIGHUP', onHangUp ?? (() => stop('SIGHUP'))],
  ]
  for (const [signal, listener] of listeners) process.on(signal, listener)
  return {
    asked,
    insisted,
    [Symbol.dispose]() {
      for (const [signal, listener] of listeners) process.off(signal, listener)
    },
  }
}
