/** Values of labels by name. Every series of a family has the same names. */
export type Labels = Readonly<Record<string, string>>

/** Something that only grows. */
export interface PrometheusCounter {
  add(value: number, labels: Labels): void
  /** The same for labels that are written once. */
  with(labels: Labels): (value: number) => void
}

/** How often something took how long. */
export interface PrometheusHistogram {
  /** @param value seconds */
  record(value: number, labels: Labels): void
  /** The same for labels that are written once. */
  with(labels: Labels): (value: number) => void
}

/** Something that goes up and down. */
export interface PrometheusGauge {
  record(value: number, labels: Labels): void
}

/** Metrics by name, written when somebody asks for them. */
export interface PrometheusRegistry {
  counter(name: string, help: string): PrometheusCounter
  histogram(name: string, help: string): PrometheusHistogram
  gauge(name: string, help: string): PrometheusGauge
  /** A gauge without labels that is read when somebody asks. */
  reading(name: string, help: string, value: () => number): void
  /** All of it in the text exposition format, 0.0.4. */
  text(): string
}

/** Seconds. From an answer at hand to a tool that works for minutes. */
const bounds: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600,
]

/** Series of one family. Labels are bounded where they are made; this is in case one is not. */
const mostSeries = 1000

/** Makes a {@link PrometheusRegistry} (Prometheus, "Text-based format"). */
export function prometheusRegistry(): PrometheusRegistry {
  const families: (() => string)[] = []

  function add(name: string, help: string, type: string, lines: () => readonly string[]): void {
    if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) throw new TypeError(`${name} is no name of a metric`)
    const about = help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')
    families.push(() => [`# HELP ${name} ${about}`, `# TYPE ${name} ${type}`, ...lines(), ''].join('\n'))
  }

  return {
    counter(name, help) {
      const series = seriesOf(() => ({ value: 0 }))
      add(name, help, 'counter', () => series.lines((labels, { value }) => [line(name, labels, value)]))
      const grow = (one: { value: number }, by: number) => {
        one.value += by
      }
      return {
        add: (value, labels) => grow(series.of(labels), value),
        with(labels) {
          const one = series.of(labels)
          return (value) => grow(one, value)
        },
      }
    },
    histogram(name, help) {
      const series = seriesOf(() => ({ counts: bounds.map(() => 0), count: 0, sum: 0 }))
      add(name, help, 'histogram', () => series.lines((labels, taken) => histogramLines(name, labels, taken)))
      return {
        record: (value, labels) => take(series.of(labels), value),
        with(labels) {
          const one = series.of(labels)
          return (value) => take(one, value)
        },
      }
    },
    gauge(name, help) {
      const series = seriesOf(() => ({ value: 0 }))
      add(name, help, 'gauge', () => series.lines((labels, { value }) => [line(name, labels, value)]))
      return {
        record(value, labels) {
          series.of(labels).value = value
        },
      }
    },
    reading(name, help, value) {
      add(name, help, 'gauge', () => [line(name, '', read(value))])
    },
    text: () => families.map((family) => family()).join(''),
  }
}

interface Taken {
  /** How many were not above the bound of the same place, and above the one before. */
  readonly counts: number[]
  count: number
  sum: number
}

function take(taken: Taken, seconds: number): void {
  taken.count += 1
  taken.sum += seconds
  const at = bounds.findIndex((bound) => seconds <= bound)
  if (at !== -1) taken.counts[at] = (taken.counts[at] ?? 0) + 1
}

function histogramLines(name: string, labels: string, { counts, count, sum }: Taken): readonly string[] {
  const before = labels === '' ? '' : `${labels},`
  let reached = 0
  const buckets = bounds.map((bound, at) => {
    reached += counts[at] ?? 0
    return line(`${name}_bucket`, `${before}le="${bound}"`, reached)
  })
  return [
    ...buckets,
    line(`${name}_bucket`, `${before}le="+Inf"`, count),
    line(`${name}_sum`, labels, sum),
    line(`${name}_count`, labels, count),
  ]
}

/** The values of a family by their labels, as these are written. */
interface Series<Value> {
  of(labels: Labels): Value
  lines(write: (labels: string, value: Value) => readonly string[]): readonly string[]
}

function seriesOf<Value>(fresh: () => Value): Series<Value> {
  const values = new Map<string, Value>()
  return {
    of(labels) {
      const own = written(labels)
      const key = values.has(own) || values.size < mostSeries ? own : written(others(labels))
      const known = values.get(key) ?? fresh()
      values.set(key, known)
      return known
    },
    lines: (write) => Array.from(values, ([labels, value]) => write(labels, value)).flat(),
  }
}

function others(labels: Labels): Labels {
  return Object.fromEntries(Object.keys(labels).map((name) => [name, 'other']))
}

function written(labels: Labels): string {
  let text = ''
  for (const name of Object.keys(labels)) text += `${text && ','}${name}="${escaped(labels[name]!)}"`
  return text
}

function escaped(value: string): string {
  return /["\\\n]/.test(value) ? value.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n') : value
}

function line(name: string, labels: string, value: number): string {
  return `${name}${labels && `{${labels}}`} ${numberText(value)}`
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

/** Whoever cannot say how much there is must not keep the others from being read. */
function read(value: () => number): number {
  try {
    return value()
  } catch {
    return Number.NaN
  }
}
