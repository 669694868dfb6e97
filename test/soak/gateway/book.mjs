// What was asked, what was carried out, and what was answered; and whether that fits.

/** More say nothing new. */
const mostFaults = 20

/**
 * @param {(text: string) => void} onFault called with each fault at once
 */
export function callBook(onFault) {
  const calls = new Map()
  const runs = new Map()
  const faults = []
  let last = 0
  const book = {
    faults,
    get isFull() {
      return faults.length >= mostFaults
    },
    fault(text) {
      faults.push(text)
      if (faults.length <= mostFaults) onFault(text)
    },
    /** A call of somebody, and the text nobody else has. */
    begin({ mark }, where) {
      const text = `${mark}/${where}-${++last}`
      calls.set(text, { where, end: undefined })
      return text
    },
    /**
     * What became of it: a `result`; an `error`, which says nothing of whether it was carried out; `refused`, which says
     * that it was not; or `left`, because the client did not wait.
     */
    end(text, how, detail = '') {
      const call = calls.get(text)
      if (!call) return book.fault(`an answer to ${text}, which nobody asked: ${detail}`)
      if (call.end) return book.fault(`${text} was answered twice: ${call.end}, then ${how} ${detail}`)
      call.end = how
    },
    /** A server carries it out. */
    ran(text, mark) {
      runs.set(text, (runs.get(text) ?? 0) + 1)
      if (!text.startsWith(`${mark}/`)) book.fault(`${text} was carried out for ${mark}`)
    },
    /** @returns how many calls ended how, by where they went */
    close() {
      const counts = {}
      for (const [text, { where, end = 'lost' }] of calls) {
        const times = runs.get(text) ?? 0
        if (end === 'lost') book.fault(`${text} was never answered`)
        if (times > 1) book.fault(`${text} was carried out ${times} times`)
        if (end === 'result' && times === 0) book.fault(`${text} has a result, and was not carried out`)
        if (end === 'refused' && times > 0) book.fault(`${text} was refused, and carried out`)
        counts[where] ??= { result: 0, error: 0, refused: 0, left: 0, lost: 0 }
        counts[where][end]++
      }
      for (const text of runs.keys())
        if (!calls.has(text)) book.fault(`${text} was carried out, and nobody asked for it`)
      return counts
    },
  }
  return book
}

/** Times in which things may fail: from the moment a server is made to fail until it has been back for a while. */
export function weather() {
  let changes = 0
  let storms = 0
  return {
    /** @returns a question: was there a storm at any time since? */
    watch() {
      const before = changes
      const wasStorm = storms > 0
      return () => wasStorm || changes !== before
    },
    begin() {
      changes++
      storms++
    },
    end() {
      storms--
    },
  }
}
