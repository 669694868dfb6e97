/** A command of a transcript, and what stands below it. */
export interface Step {
  readonly command: string
  readonly expected: readonly string[]
}

/** One block of commands. */
export interface Block {
  readonly line: number
  /** Whether its command goes on, as a server does, until its section ends. */
  readonly isStanding: boolean
  readonly steps: readonly Step[]
}

/** What one heading of a document shows: commands that belong together, in one folder. */
export interface Section {
  readonly title: string
  readonly blocks: readonly Block[]
}

const fence = /^```(.*)$/

/**
 * The transcripts of a document: blocks of `console`, in which `$ ` begins a command, a `\` at the end of a line goes on
 * with it, and everything else is what it prints. `console stays` is one that goes on.
 */
export function transcriptsOf(markdown: string): readonly Section[] {
  const sections: { title: string; blocks: Block[] }[] = []
  let lines: string[] | undefined
  let info = ''
  for (const [index, text] of markdown.split('\n').entries()) {
    const [, language] = fence.exec(text) ?? []
    if (lines !== undefined && language === undefined) lines.push(text)
    else if (lines !== undefined) {
      const block = blockOf(lines, info, index - lines.length)
      if (block) sections.at(-1)?.blocks.push(block)
      lines = undefined
    } else if (language !== undefined) {
      lines = []
      info = language.trim()
    } else if (text.startsWith('## ')) sections.push({ title: text.slice(3), blocks: [] })
  }
  return sections.filter(({ blocks }) => blocks.length > 0)
}

function blockOf(lines: readonly string[], info: string, line: number): Block | undefined {
  const [language, ...words] = info.split(' ')
  if (language !== 'console') return undefined
  const steps: { command: string; expected: string[] }[] = []
  let isGoingOn = (_text: string) => false
  for (const text of lines) {
    const step = steps.at(-1)
    if (isGoingOn(text) && step) step.command += `\n${text}`
    else if (text.startsWith('$ ')) {
      steps.push({ command: text.slice(2), expected: [] })
      isGoingOn = goesOn(text)
    } else if (step) step.expected.push(text)
    else throw new Error(`line ${line}: a transcript begins with a command, after "$ "`)
  }
  return { line, isStanding: words.includes('stays'), steps }
}

/** Tells of each line after the first whether it belongs to the command: a here-document to its end, or after a `\`. */
function goesOn(first: string): (text: string) => boolean {
  const [, end] = /<<'(\w+)'/.exec(first) ?? []
  let isOver = end === undefined && !first.endsWith('\\')
  return (text) => {
    if (isOver) return false
    isOver = end === undefined ? !text.endsWith('\\') : text === end
    return true
  }
}

/**
 * A command as a person types it: where a word of it is shortened, they take the one that was printed before.
 * @throws Error when nothing was printed that fits
 */
export function typed(command: string, printed: string): string {
  return command.replaceAll(/[\w-]*…[\w-]*/g, (word) => {
    const pattern = new RegExp(`\\b${word.split(anything).map(escaped).join('[\\w-]*')}`)
    const [found] = pattern.exec(printed) ?? []
    if (found === undefined) throw new Error(`nothing was printed that ${word} could stand for`)
    return found
  })
}

/** A line of nothing but this stands for any number of lines; within a line it stands for any text. */
const anything = '…'

/**
 * Compares what was printed with what a transcript says.
 * @returns nothing when it fits, else the line that is expected and does not come
 */
export function mismatch(expected: readonly string[], printed: readonly string[]): string | undefined {
  let at = 0
  let maySkip = false
  for (const line of trimmed(expected)) {
    if (line.trim() === anything) {
      maySkip = true
      continue
    }
    const pattern = patternOf(line)
    while (maySkip && at < printed.length && !pattern.test(printed[at] ?? '')) at += 1
    if (!pattern.test(printed[at] ?? '')) return line
    at += 1
    maySkip = false
  }
  const rest = trimmed(printed.slice(at))
  return maySkip || rest.length === 0 ? undefined : `nothing more, where this came: ${rest[0]}`
}

function patternOf(line: string): RegExp {
  const parts = line.trimEnd().split(anything)
  return new RegExp(`^${parts.map((part) => escaped(part)).join('.*')}\\s*$`)
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

/** Without empty lines at its ends. */
function trimmed(lines: readonly string[]): readonly string[] {
  const isText = (line: string) => line.trim() !== ''
  const last = lines.findLastIndex(isText)
  const first = lines.findIndex(isText)
  return last === -1 ? [] : lines.slice(first, last + 1)
}
