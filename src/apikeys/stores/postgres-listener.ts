import type { ListenerConnection, PostgresDriver } from './postgres-driver.ts'

/** Milliseconds between two looks at whether the other end is there, and of the waits after failures. */
export interface ListenerPace {
  readonly heartbeatMs: number
  readonly firstPauseMs: number
  readonly longestPauseMs: number
}

const usualPace: ListenerPace = { heartbeatMs: 5000, firstPauseMs: 100, longestPauseMs: 5000 }

/** Somebody who listens until it is stopped. */
export interface Listener {
  /** When the first attempt to connect has ended, well or not. */
  readonly started: Promise<void>
  stop(): Promise<void>
}

/**
 * Listens to a channel for as long as it is wanted: a connection that is lost, or silent, is replaced, with pauses that
 * grow while that fails. `hint` is called for what is heard, and each time there is a connection: what happened before
 * may have been missed.
 *
 * A TCP connection whose other end has vanished stays open and says nothing, so it is asked now and then.
 */
export function listener(
  driver: Pick<PostgresDriver, 'connectListener'>,
  channel: string,
  hint: () => void,
  pace: ListenerPace = usualPace,
): Listener {
  const stopped = latch()
  const started = latch()

  const round = async () => {
    const lost = latch()
    const connection = await driver.connectListener(channel, { notified: hint, lost: lost.open })
    if (!stopped.isOpen()) {
      started.open()
      hint()
      await watch(connection, Promise.race([lost.opened, stopped.opened]), pace.heartbeatMs)
    }
    connection.close()
  }
  const run = async () => {
    let pauseMs = pace.firstPauseMs
    while (!stopped.isOpen()) {
      try {
        await round()
        pauseMs = pace.firstPauseMs
      } catch {
        pauseMs = Math.min(pauseMs * 2, pace.longestPauseMs)
      }
      started.open()
      await pause(pauseMs, stopped.opened)
    }
  }
  const running = run()
  return {
    started: started.opened,
    stop() {
      stopped.open()
      return running
    },
  }
}

/** Until it is over, or nobody answers. */
async function watch(
  connection: ListenerConnection,
  over: Promise<void>,
  heartbeatMs: number,
): Promise<void> {
  let isOver = false
  const ended = over.then(() => {
    isOver = true
  })
  while (!isOver) {
    await pause(heartbeatMs, ended)
    if (isOver) return
    const isThere = await Promise.race([
      connection.ping().then(
        () => true,
        () => false,
      ),
      ended.then(() => false),
    ])
    if (!isThere) return
  }
}

/** Until so much time has passed, or it is not wanted any more. Keeps no process alive. */
function pause(milliseconds: number, until: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    timer.unref()
    void until.then(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** Something that opens once. */
function latch() {
  let isOpen = false
  let resolve: () => void = () => {}
  const opened = new Promise<void>((done) => {
    resolve = done
  })
  return {
    opened,
    isOpen: () => isOpen,
    open: () => {
      isOpen = true
      resolve()
    },
  }
}
