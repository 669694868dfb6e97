/** Whether it is a promise; those of other libraries count. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/**
 * Goes on with a value, at once when it is there and later when it is promised. Most calls have everything at hand, and
 * each promise costs, all the more where an `AsyncLocalStorage` follows it.
 */
export function andThen<T, Result>(
  value: T | Promise<T>,
  next: (value: T) => Result | Promise<Result>,
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(next) : next(value)
}
