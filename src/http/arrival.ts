import type { Attempts } from './gate.ts'
import type { RemoteEnd } from './head.ts'

/** What whoever took a request from its connection knows of it, beside what a `Request` can carry. */
export interface Arrival extends RemoteEnd {
  /** Counts what this caller tries. */
  readonly attempts?: Attempts | undefined
}

const arrivals = new WeakMap<Request, Arrival>()

/**
 * Notes how a request came, for a gate further in. Nothing a caller sends can say it, and a host that hands over more than
 * a request says nothing by accident.
 */
export function noteArrival(request: Request, arrival: Arrival): void {
  arrivals.set(request, arrival)
}

/** How a request came, where somebody has noted it. */
export function arrivalOf(request: Request): Arrival | undefined {
  return arrivals.get(request)
}
